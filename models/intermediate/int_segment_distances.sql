-- How far every customer is from every segment, in the prepared space of the model in
-- force: the nearest prototype of each segment counts. What a model has no centre for
-- takes no part in it; the model's own parameters hold, not today's configuration.
with customers as (

    select * from {{ ref('int_customer_features') }}

),

categories as (

    select * from {{ ref('int_category_distances') }}

),

{{ prototype_cte() }},

distances as (

    select
        prototypes.segmentation,
        customers.customer_id,
        prototypes.segment_id,
        prototypes.prototype_id,
        {{ distance_to_prototype('categories') }} as distance
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
