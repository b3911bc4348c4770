-- How far every customer is from every segment, in the prepared space of the model in
-- force: the nearest prototype of each segment counts. What a model has no centre for
-- takes no part in it; the model's own parameters hold, not today's configuration.
{% set numeric = features_of_kind('numeric') %}
with customers as (

    select * from {{ ref('int_customer_features') }}

),

categories as (

    select * from {{ ref('int_category_distances') }}

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
        sqrt(
            0
            {%- for feature in numeric %}
            + {{ squared_difference(feature) }}
            {%- endfor %}
            + coalesce(categories.squared_distance, 0)
        ) as distance
    from customers
    cross join prototypes
    left join categories
        on prototypes.segmentation = categories.segmentation
        and prototypes.prototype_id = categories.prototype_id
        and customers.customer_id = categories.customer_id

),

final as (

    select
        segmentation,
        customer_id,
        segment_id,
        min(prototype_id) as prototype_id,
        {{ rounded('min(distance)', 9) }} as distance
    from distances
    group by segmentation, customer_id, segment_id

)

select * from final
