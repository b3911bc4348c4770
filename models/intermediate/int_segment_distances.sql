-- How far every customer is from every segment, in the prepared space of the model in
-- force: the nearest prototype of each segment counts. What a model has no centre for
-- takes no part in it; the model's own transforms hold, not today's configuration.
{% set features = customer_features() %}
with customers as (

    select * from {{ ref('int_customer_features') }}

),

prototypes as (

    select
        segmentation,
        prototype_id,
        segment_id,
        {%- for feature in features %}
        {%- for parameter in ['transform', 'centring', 'scale', 'centre'] %}
        max(case when feature = '{{ feature }}' then {{ parameter }} end)
            as {{ feature }}_{{ parameter }},
        {%- endfor %}
        {%- endfor %}
        count(*) as feature_count
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
            {%- for feature in features %}
            {{ squared_difference(feature) }}{{ ' +' if not loop.last }}
            {%- endfor %}
        ), 9) as distance
    from customers
    cross join prototypes

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
