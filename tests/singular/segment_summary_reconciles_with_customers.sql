-- Segment by segment, so that customers of a segment without a row of the summary show
-- too.
with summary as (

    select * from {{ ref('rpt_segment_summary') }}

),

customers as (

    select
        assigned.segmentation,
        assigned.segment_id,
        count(*) as customer_count,
        sum(customers.frequency) as order_count,
        sum(customers.monetary) as revenue
    from {{ ref('fct_customer_segments') }} as assigned
    inner join {{ ref('dim_customers') }} as customers
        on assigned.customer_id = customers.customer_id
    group by assigned.segmentation, assigned.segment_id

),

final as (

    select
        coalesce(summary.segment_id, customers.segment_id) as segment_id,
        summary.customer_count,
        customers.customer_count as customer_count_of_customers,
        summary.order_count,
        customers.order_count as order_count_of_customers,
        summary.revenue,
        customers.revenue as revenue_of_customers
    from summary
    full outer join customers
        on summary.segmentation = customers.segmentation
        and summary.segment_id = customers.segment_id
    where
        summary.segment_id is null
        or summary.customer_count <> coalesce(customers.customer_count, 0)
        or summary.order_count <> coalesce(customers.order_count, 0)
        or summary.revenue <> coalesce(customers.revenue, 0)

)

select * from final
