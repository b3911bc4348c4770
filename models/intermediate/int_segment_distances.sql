-- How far every customer is from every segment, in the prepared space of the model in
-- force: the nearest prototype of each segment counts. What a model has no centre for
-- takes no part in it; the model's own parameters hold, not today's configuration.
{% set numeric = [] %}
{% set categorical = [] %}
{% for feature, kind in customer_features().items() %}
    {% do (numeric if kind == 'numeric' else categorical).append(feature) %}
{% endfor %}
with customers as (

    select * from {{ ref('int_customer_features') }}

),

levels as (

    select * from {{ ref('int_level_distances') }}

),

prototypes as (

    select
        segmentation,
        prototype_id,
        segment_id,
        {%- for feature in numeric %}
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

),

distances as (

    select
        prototypes.segmentation,
        customers.customer_id,
        prototypes.segment_id,
        prototypes.prototype_id,
        round(sqrt(
            0
            {%- for feature in numeric %}
            + {{ squared_difference(feature) }}
            {%- endfor %}
            {%- for feature in categorical %}
            + cast(
                coalesce({{ feature }}_any.base_distance, 0)
                + coalesce(
                    {{ feature }}_own.extra_distance, {{ feature }}_other.extra_distance, 0
                ) as double
            )
            {%- endfor %}
        ), 9) as distance
    from customers
    cross join prototypes
    {%- for feature in categorical %}
    left join (
        select distinct segmentation, prototype_id, fill_level, base_distance
        from levels
        where feature = '{{ feature }}'
    ) as {{ feature }}_any
        on prototypes.segmentation = {{ feature }}_any.segmentation
        and prototypes.prototype_id = {{ feature }}_any.prototype_id
    {%- for part, level in {
        'own': 'coalesce(customers.' ~ feature ~ ', ' ~ feature ~ '_any.fill_level)',
        'other': "'(other)'",
    }.items() %}
    left join levels as {{ feature }}_{{ part }}
        on prototypes.segmentation = {{ feature }}_{{ part }}.segmentation
        and prototypes.prototype_id = {{ feature }}_{{ part }}.prototype_id
        and {{ feature }}_{{ part }}.feature = '{{ feature }}'
        and {{ feature }}_{{ part }}.level = {{ level }}
    {%- endfor %}
    {%- endfor %}

),

final as (

    select
        segmentation,
        customer_id,
        segment_id,
        min(prototype_id) as prototype_id,
        min(distance) as distance
    from distances
    group by segmentation, customer_id, segment_id

)

select * from final
