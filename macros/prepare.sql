{#- The square of the difference between a customer's prepared numeric feature and a
    prototype's centre, 0 for a feature that the model does not have; prepared as in
    src/segmentation/preparation.py. -#}
{% macro squared_difference(feature) -%}
    {%- set value -%}
        greatest(
            least(
                {{ rounded(
                    'coalesce(' ~ feature ~ ', ' ~ feature ~ '_fill_value)', 9
                ) }},
                coalesce({{ feature }}_upper, 1e308)
            ),
            coalesce({{ feature }}_lower, -1e308)
        )
    {%- endset -%}
    {%- set prepared -%}
        (
            case
                when {{ feature }}_transform = 'log1p'
                    then ln(1 + greatest({{ value }}, 0))
                else {{ value }}
            end - {{ feature }}_centring
        ) / {{ feature }}_scale
    {%- endset -%}
    coalesce(power({{ rounded(prepared, 9) }} - {{ feature }}_centre, 2), 0)
{%- endmacro %}
