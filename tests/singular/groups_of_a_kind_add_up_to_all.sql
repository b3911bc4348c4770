with retention as (

    select
        group_kind,
        segmentation,
        sum(customer_count) as customer_count,
        sum(repeat_customer_count) as repeat_customer_count,
        sum(active_before_count) as active_before_count,
        sum(retained_count) as retained_count
    from {{ ref('rpt_retention') }}
    group by group_kind, segmentation

),

second_purchase as (

    select
        group_kind,
        sum(at_risk_count) as customer_count
    from {{ ref('rpt_second_purchase') }}
    where day = 0
    group by group_kind

),

final as (

    select
        kinds.group_kind,
        kinds.segmentation
    from retention as kinds
    inner join retention as everyone on everyone.group_kind = 'all'
    left join second_purchase on kinds.group_kind = second_purchase.group_kind
    where
        kinds.customer_count <> everyone.customer_count
        or kinds.repeat_customer_count <> everyone.repeat_customer_count
        or kinds.active_before_count <> everyone.active_before_count
        or kinds.retained_count <> everyone.retained_count
        or (
            kinds.group_kind <> 'segment'
            and coalesce(second_purchase.customer_count, 0) <> everyone.customer_count
        )

)

select * from final
