with actions as (

    select * from {{ ref('int_group_actions') }}

),

groups as (

    select * from {{ ref('int_action_groups') }}

),

described as (

    select
        actions.*,
        everybody.customer_count,
        everybody.revenue,
        reachable.is_known as is_reach_known,
        case when reachable.is_known then reachable.customer_count end
            as reachable_customer_count,
        case when reachable.is_known then reachable.customer_count
            else everybody.customer_count
        end as contacted_count,
        case actions.value_at_stake
            {%- for value in ['lifetime_value', 'value_at_risk'] %}
            when '{{ value }}'
                then case when reachable.is_known then reachable.{{ value }}
                    else everybody.{{ value }}
                end
            {%- endfor %}
        end as value_reachable
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

priced as (

    select
        *,
        {{ money('cast(value_reachable as double) * assumed_uplift') }} as expected_gain,
        {{ money('contacted_count * offer_cost') }} as cost,
        {{ money(
            'cast(value_reachable as double) * assumed_uplift'
            ~ ' - contacted_count * offer_cost'
        ) }} as net_worth
    from described

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation
            order by net_worth desc nulls last, segment_id, priority, action
        ) as worth_rank,
        row_number() over (
            partition by segmentation, segment_id
            order by net_worth desc nulls last, priority, action
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
                then choice = 1 and net_worth > 0
                {%- if var('budget') is not none %}
                and cumulative_cost <= {{ var('budget') }}
                {%- endif %}
        end as is_within_budget,
        case
            when value_reachable is null then 'no_value'
            when assumed_uplift is null then 'no_uplift'
            when coalesce(is_reach_known, false) then 'ok'
            else 'consent_unknown'
        end as status
    from spent

)

select * from final
