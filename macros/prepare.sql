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

{#- The prototypes in force as a CTE, one row each, the preparation of every numeric
    feature in its columns. -#}
{% macro prototype_cte() -%}
prototypes as (

    select
        segmentation,
        prototype_id,
        segment_id,
        {%- for feature in features_of_kind('numeric') %}
        {%- for parameter in [
            'transform', 'fill_value', 'lower', 'upper', 'centring', 'scale', 'centre',
        ] %}
        max(case when feature = '{{ feature }}' then {{ parameter }} end)
            as {{ feature }}_{{ parameter }},
        {%- endfor %}
        {%- endfor %}
        max(radius) as radius
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation, prototype_id, segment_id

)
{%- endmacro %}

{#- How far a customer is from a prototype; `categories` has what its categories add. -#}
{% macro distance_to_prototype(categories) -%}
    sqrt(
        0
        {%- for feature in features_of_kind('numeric') %}
        + {{ squared_difference(feature) }}
        {%- endfor %}
        + coalesce({{ categories }}.squared_distance, 0)
    )
{%- endmacro %}
