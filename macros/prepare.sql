{#- A raw feature in prepared space, as src/segmentation/preparation.py has it. -#}
{% macro prepared(feature, preparation) -%}
    round(
        (
            {%- if preparation.transform == 'log1p' -%}
            ln(1 + greatest(round({{ feature }}, 9), 0))
            {%- else -%}
            round({{ feature }}, 9)
            {%- endif %} - {{ feature }}_centring
        ) / {{ feature }}_scale,
        9
    )
{%- endmacro %}
