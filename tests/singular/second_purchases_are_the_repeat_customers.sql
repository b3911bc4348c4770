{{ config(group='segmentation') }}

-- Whoever came back did so on one day of the group. Who is left on its last day bought
-- again on it, or has not and was observed for as long.
with days as (

    select
        *,
        row_number() over (
            partition by group_kind, group_name order by day desc
        ) as from_the_end
    from {{ ref('rpt_second_purchase') }}
    where status = 'ok'

),

curves as (

    select
        group_kind,
        group_name,
        sum(event_count) as event_count,
        max(case when from_the_end = 1 then day end) as last_day,
        max(case when from_the_end = 1 then at_risk_count - event_count end)
            as left_count
    from days
    group by group_kind, group_name

),

waiting as (

    select
        curves.group_kind,
        curves.group_name,
        count(*) as waiting_count
    from curves
    inner join {{ ref('int_customer_groups') }} as members
        on curves.group_kind = members.group_kind
        and curves.group_name = members.group_name
    inner join {{ ref('int_customer_retention') }} as customers
        on members.customer_id = customers.customer_id
    inner join {{ ref('dim_customers') }} as described
        on members.customer_id = described.customer_id
    where
        not customers.is_repeat_customer
        and described.tenure_days - 1 >= curves.last_day
    group by curves.group_kind, curves.group_name

),

final as (

    select curves.*
    from curves
    inner join {{ ref('rpt_retention') }} as retention
        on curves.group_kind = retention.group_kind
        and curves.group_name = retention.group_id
    left join waiting
        on curves.group_kind = waiting.group_kind
        and curves.group_name = waiting.group_name
    where
        curves.event_count <> retention.repeat_customer_count
        or curves.left_count <> coalesce(waiting.waiting_count, 0)

)

select * from final
