with priced as (

    select * from {{ ref('int_action_worth') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation
            order by
                net_worth desc nulls last, segment_id asc, priority asc, action asc
        ) as worth_rank,
        row_number() over (
            partition by segmentation, segment_id
            order by net_worth desc nulls last, priority asc, action asc
        ) as choice
    from priced

),

spent as (

    select
        *,
        sum(case when choice = 1 and net_worth > 0 then cost else 0 end) over (
            partition by segmentation order by worth_rank rows unbounded preceding
        ) as cumulative_cost
    from ranked

),

final as (

    select
        segmentation,
        segment_id,
        segment_name,
        action,
        how,
        channel,
        offer,
        kpi,
        max_frequency,
        do_not,
        cast(customer_count as integer) as customer_count,
        cast(reachable_customer_count as integer) as reachable_customer_count,
        cast(asked_paused_customer_count as integer) as paused_customer_count,
        revenue,
        {{ ratio(
            'revenue',
            'sum(case when choice = 1 then revenue end) over (partition by segmentation)'
        ) }} as revenue_share,
        cast(dense_rank() over (
            partition by segmentation
            order by revenue desc nulls last, segment_id asc
        ) as integer) as revenue_rank,
        value_at_stake,
        {{ money('value_reachable') }} as value_reachable,
        cast(uplift as double) as uplift,
        uplift_lower,
        uplift_upper,
        uplift_status,
        cast(offer_cost as decimal(18, 4)) as offer_cost,
        expected_gain,
        cost,
        net_worth,
        cast(worth_rank as integer) as worth_rank,
        choice = 1 as is_best_action,
        case
            when net_worth is not null
                then
                    choice = 1 and net_worth > 0
                    and {{ 'true' if var('budget') is none
                        else 'cumulative_cost <= ' ~ var('budget') }}
        end as is_within_budget,
        case
            when value_reachable is null then 'no_value'
            when net_worth is null then 'no_assumption'
            when is_reach_known then 'ok'
            else 'consent_unknown'
        end as status
    from spent

)

select * from final
