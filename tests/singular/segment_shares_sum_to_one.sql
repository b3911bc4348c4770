-- As near as six digits a share allow; where there is nothing to share, they are null.
with sums as (

    select
        segmentation,
        count(*) as segment_count,
        sum(customer_count) as customer_count,
        sum(revenue) as revenue,
        sum(customer_share) as customer_share,
        sum(revenue_share) as revenue_share
    from {{ ref('rpt_segment_summary') }}
    group by segmentation

),

final as (

    select *
    from sums
    where
        (
            customer_count > 0
            and abs(coalesce(customer_share, 0) - 1) > 0.000001 * segment_count
        )
        or (
            revenue <> 0
            and abs(coalesce(revenue_share, 0) - 1) > 0.000001 * segment_count
        )

)

select * from final
