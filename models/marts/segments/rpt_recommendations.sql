with actions as (

    select * from {{ ref('int_group_actions') }}

),

groups as (

    select * from {{ ref('int_action_groups') }}

),

-- of all customers where nobody knows who can be reached
contacts as (

    select
        actions.*,
        everybody.customer_count,
        everybody.revenue,
        coalesce(reachable.is_known, false) as is_reach_known,
        case when reachable.is_known then reachable.customer_count end
            as reachable_customer_count,
        case
            when reachable.is_known then reachable.customer_count
            else everybody.customer_count
        end as contacted_count,
        case
            when reachable.is_known then reachable.lifetime_value
            else everybody.lifetime_value
        end as lifetime_value,
        case
            when reachable.is_known then reachable.value_at_risk
            else everybody.value_at_risk
        end as value_at_risk
    from actions
    inner join groups as everybody
        on actions.segmentation = everybody.segmentation
        and actions.segment_id = everybody.segment_id
        and everybody.channel = 'all'
    left join groups as reachable
        on actions.segmentation = reachable.segmentation
        and actions.segment_id = reachable.segment_id
        and actions.channel = reachable.channel

),

valued as (

    select
        *,
        case value_at_stake
            when 'lifetime_value' then lifetime_value
            when 'value_at_risk' then value_at_risk
        end as value_reachable
    from contacts

),

priced as (

    select
        *,
        {{ money('cast(value_reachable as double) * assumed_uplift') }}
            as expected_gain,
        {{ money('contacted_count * offer_cost') }} as cost,
        {{ money(
            'cast(value_reachable as double) * assumed_uplift'
            ~ ' - contacted_count * offer_cost'
        ) }} as net_worth
    from valued

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
        cast(assumed_uplift as double) as uplift,
        case when assumed_uplift is not null then 'assumed' end as uplift_status,
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
