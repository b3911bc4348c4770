with segmentations as (

    select distinct segmentation from {{ ref('dim_segments') }}

),

customers as (

    select customer_id from {{ ref('dim_customers') }}

),

assigned as (

    select
        segmentation,
        customer_id,
        count(*) as segment_count
    from {{ ref('fct_customer_segments') }}
    group by segmentation, customer_id

),

expected as (

    select
        segmentations.segmentation,
        customers.customer_id
    from segmentations
    cross join customers

),

final as (

    select
        coalesce(expected.segmentation, assigned.segmentation) as segmentation,
        coalesce(expected.customer_id, assigned.customer_id) as customer_id,
        assigned.segment_count
    from expected
    full outer join assigned
        on expected.segmentation = assigned.segmentation
        and expected.customer_id = assigned.customer_id
    where
        expected.customer_id is null
        or coalesce(assigned.segment_count, 0) <> 1

)

select * from final
