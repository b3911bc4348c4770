{{ config(group='segmentation') }}

-- Of each segment: the customers at a month end are those of the month before, with the
-- entries and without the exits. Months of the warm-up have no row.
with months as (

    select * from {{ ref('int_history_months') }}

),

trends as (

    select * from {{ ref('rpt_segment_trends') }}

),

before as (

    select
        months.month_end_date,
        fct.segmentation,
        fct.segment_id,
        count(*) as customer_count
    from {{ ref('fct_customer_segment_months') }} as fct
    inner join months on fct.month_end_date = months.previous_month_end_date
    where not months.is_warm_up
    group by months.month_end_date, fct.segmentation, fct.segment_id

),

final as (

    select
        coalesce(trends.month_end_date, before.month_end_date) as month_end_date,
        coalesce(trends.segment_id, before.segment_id) as segment_id,
        before.customer_count as customers_before,
        trends.customer_count,
        trends.net_count
    from trends
    full outer join before
        on trends.month_end_date = before.month_end_date
        and trends.segment_id = before.segment_id
    left join months on trends.month_end_date = months.month_end_date
    where
        coalesce(before.customer_count, 0) + coalesce(trends.net_count, 0)
        <> coalesce(trends.customer_count, 0)
        and not coalesce(months.is_first, false)

)

select * from final
