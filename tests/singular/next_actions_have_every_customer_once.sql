{{ config(group='segmentation') }}

-- In the groups of the next action is every customer once, but for those without a
-- segment whom no other label decides for.
with grouped as (

    select distinct
        segment_id,
        customer_count
    from {{ ref('rpt_recommendations') }}
    where segmentation = 'next_action'

),

undecided as (

    select count(*) as customer_count
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('dim_segments') }} as segments
        on customers.segment_id = segments.segment_id
    where
        customers.next_action_decided_by = 'segment'
        and segments.persona = 'not_segmented'

),

counted as (

    select coalesce(sum(customer_count), 0) as customer_count from grouped

),

everybody as (

    select count(*) as customer_count from {{ ref('dim_customers') }}

),

final as (

    select
        counted.customer_count as grouped_count,
        undecided.customer_count as undecided_count,
        everybody.customer_count
    from counted
    cross join undecided
    cross join everybody
    where
        counted.customer_count + undecided.customer_count <> everybody.customer_count

)

select * from final
