{#- The square of the difference between a customer's prepared feature and a
    prototype's centre, 0 for a feature that the model does not have; prepared as in
    src/segmentation/preparation.py. -#}
{% macro squared_difference(feature) -%}
    coalesce(power(
        round(
            (
                case
                    when {{ feature }}_transform = 'log1p'
                        then ln(1 + greatest(round({{ feature }}, 9), 0))
                    else round({{ feature }}, 9)
                end - {{ feature }}_centring
            ) / {{ feature }}_scale,
            9
        ) - {{ feature }}_centre,
        2
    ), 0)
{%- endmacro %}
