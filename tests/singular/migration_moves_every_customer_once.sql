{{ config(group='segmentation') }}

-- Whom a month's migration brings to a segment are its customers, and their spend is
-- the spend that they have.
with arrived as (

    select
        month_end_date,
        segmentation,
        to_segment_id as segment_id,
        sum(customer_count) as customer_count,
        sum(revenue_after) as revenue
    from {{ ref('rpt_segment_migration') }}
    group by month_end_date, segmentation, to_segment_id

),

present as (

    select
        fct.month_end_date,
        fct.segmentation,
        fct.segment_id,
        count(*) as customer_count,
        sum(customers.monetary) as revenue
    from {{ ref('fct_customer_segment_months') }} as fct
    inner join {{ ref('fct_customer_months') }} as customers
        on fct.customer_id = customers.customer_id
        and fct.month_end_date = customers.month_end_date
    where not fct.is_warm_up and fct.movement <> 'first_month'
    group by fct.month_end_date, fct.segmentation, fct.segment_id

),

final as (

    select
        coalesce(arrived.month_end_date, present.month_end_date) as month_end_date,
        coalesce(arrived.segment_id, present.segment_id) as segment_id
    from arrived
    full outer join present
        on arrived.month_end_date = present.month_end_date
        and arrived.segment_id = present.segment_id
    where
        arrived.customer_count is distinct from present.customer_count
        or arrived.revenue is distinct from present.revenue

)

select * from final
