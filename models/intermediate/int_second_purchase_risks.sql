-- For each group and day after the first purchase: how many had not bought again and
-- were still observed, and how many of them bought again that day. Day 0, and each day
-- on which somebody did.
with customers as (

    select * from {{ ref('int_customer_retention') }}

),

groups as (

    select * from {{ ref('int_customer_groups') }}

),

leaving as (

    select
        groups.group_kind,
        groups.group_name,
        customers.follow_up_days as day,
        1 as leaving_count,
        case when customers.is_repeat_customer then 1 else 0 end as event_count
    from groups
    inner join customers on groups.customer_id = customers.customer_id
    union all
    select distinct
        group_kind,
        group_name,
        0 as day,
        0 as leaving_count,
        0 as event_count
    from groups

),

days as (

    select
        group_kind,
        group_name,
        day,
        sum(leaving_count) as leaving_count,
        sum(event_count) as event_count
    from leaving
    group by group_kind, group_name, day

),

at_risk as (

    select
        group_kind,
        group_name,
        day,
        event_count,
        sum(leaving_count) over (partition by group_kind, group_name)
            as customer_count,
        sum(leaving_count) over (
            partition by group_kind, group_name
            order by day desc
            rows between unbounded preceding and current row
        ) as at_risk_count
    from days

),

final as (

    select
        group_kind,
        group_name,
        day,
        cast(customer_count as integer) as customer_count,
        cast(at_risk_count as integer) as at_risk_count,
        cast(event_count as integer) as event_count
    from at_risk
    where event_count > 0 or day = 0

)

select * from final
