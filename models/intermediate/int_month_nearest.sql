-- The nearest prototype of every segmentation for customers at the end of each month
-- that is to be computed: the distances of int_segment_distances, of which only the
-- least is wanted here. Distance and prototype are one number, so that nothing is
-- sorted.
with customers as (

    select * from {{ ref('int_month_features') }}

),

categories as (

    select * from {{ ref('int_category_distances') }}

),

{{ prototype_cte() }},

distances as (

    select
        prototypes.segmentation,
        prototypes.prototype_id,
        customers.customer_id,
        customers.month_end_date,
        {{ distance_to_prototype('categories') }} as distance
    from customers
    cross join prototypes
    left join categories
        on prototypes.segmentation = categories.segmentation
        and prototypes.prototype_id = categories.prototype_id
        and customers.customer_id = categories.customer_id

),

nearest as (

    select
        segmentation,
        customer_id,
        month_end_date,
        min(
            cast(round(least(distance, 1e9) * 1e9, 0) as decimal(20, 0))
            * cast(1000000 as decimal(7, 0)) + prototype_id
        ) as distance_and_prototype
    from distances
    group by segmentation, customer_id, month_end_date

),

parted as (

    select
        *,
        mod(distance_and_prototype, 1000000) as prototype_part
    from nearest

),

final as (

    select
        segmentation,
        customer_id,
        month_end_date,
        round(
            cast(distance_and_prototype - prototype_part as double) / 1e6, 0
        ) / 1e9 as distance,
        cast(prototype_part as integer) as prototype_id
    from parted

)

select * from final
