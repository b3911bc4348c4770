-- Customers as they were at each snapshot, from what was known then, and what they
-- bought in the churn horizon after it. Who had not bought yet is absent.
with snapshots as (

    select * from {{ ref('int_snapshots') }}

),

purchase_days as (

    select
        *,
        min(purchase_date) over (partition by snapshot_number, customer_id)
            as first_purchase_date
    from {{ ref('int_snapshot_purchase_days') }}

),

purchases as (

    select
        snapshot_number,
        customer_id,
        first_purchase_date,
        max(purchase_date) as last_purchase_date,
        count(*) as purchase_day_count,
        sum(order_count) as frequency,
        sum(net_amount) as net_amount,
        sum(case when purchase_date > first_purchase_date then net_amount else 0 end)
            as repeat_amount
    from purchase_days
    group by snapshot_number, customer_id, first_purchase_date

),

money_back as (

    select
        snapshots.snapshot_number,
        money_back.customer_id,
        sum(money_back.money_back_amount) as money_back_amount
    from {{ ref('int_money_back') }} as money_back
    inner join snapshots on money_back.returned_on < snapshots.snapshot_date
    group by snapshots.snapshot_number, money_back.customer_id

),

events as (

    select
        snapshots.snapshot_number,
        events.customer_id,
        count(*) as recent_event_count
    from {{ ref('stg_customer_events') }} as events
    inner join snapshots
        on cast(events.event_at as date) < snapshots.snapshot_date
        and cast(events.event_at as date) >= {{ dbt.dateadd(
            'day', '-snapshots.churn_horizon_days', 'snapshots.snapshot_date'
        ) }}
    group by snapshots.snapshot_number, events.customer_id

),

-- the horizon after a snapshot ends at the next one, and is judged as was known there
later as (

    select
        snapshots.snapshot_number,
        days.customer_id,
        count(*) as later_purchase_count,
        sum(days.net_amount) as later_value
    from snapshots
    inner join {{ ref('int_snapshot_purchase_days') }} as days
        on snapshots.snapshot_number = days.snapshot_number + 1
        and snapshots.snapshot_date <= days.purchase_date
    group by snapshots.snapshot_number, days.customer_id

),

final as (

    select
        snapshots.snapshot_number,
        purchases.customer_id,
        cast(purchases.purchase_day_count - 1 as integer) as repeat_count,
        cast({{ dbt.datediff(
            'purchases.first_purchase_date', 'purchases.last_purchase_date', 'day'
        ) }} as integer) as span_days,
        -- to the last day that was observed: the date itself has not begun
        cast({{ dbt.datediff(
            'purchases.first_purchase_date', 'snapshots.snapshot_date', 'day'
        ) }} - 1 as integer) as observed_days,
        cast(purchases.purchase_day_count as integer) as purchase_day_count,
        {{ money('purchases.net_amount') }} as net_amount,
        {{ money('purchases.repeat_amount') }} as repeat_amount,
        cast({{ dbt.datediff(
            'purchases.last_purchase_date', 'snapshots.snapshot_date', 'day'
        ) }} as integer) as recency_days,
        cast(purchases.frequency as integer) as frequency,
        {{ money(
            'purchases.net_amount - coalesce(money_back.money_back_amount, 0)'
        ) }} as monetary,
        case
            when {{ 'true' if has('customer_events') else 'false' }}
                then cast(coalesce(events.recent_event_count, 0) as integer)
        end as recent_event_count,
        case when snapshots.snapshot_number > 0 then later.customer_id is not null end
            as bought_later,
        case
            when snapshots.snapshot_number > 0
                then cast(coalesce(later.later_purchase_count, 0) as integer)
        end as later_purchase_count,
        case
            when snapshots.snapshot_number > 0
                then {{ money(
                    'coalesce(later.later_value, 0)'
                    ~ ' - coalesce(later_money_back.money_back_amount, 0)'
                    ~ ' + coalesce(money_back.money_back_amount, 0)'
                ) }}
        end as later_value
    from purchases
    inner join snapshots on purchases.snapshot_number = snapshots.snapshot_number
    left join money_back
        on purchases.snapshot_number = money_back.snapshot_number
        and purchases.customer_id = money_back.customer_id
    left join money_back as later_money_back
        on purchases.snapshot_number = later_money_back.snapshot_number + 1
        and purchases.customer_id = later_money_back.customer_id
    left join events
        on purchases.snapshot_number = events.snapshot_number
        and purchases.customer_id = events.customer_id
    left join later
        on purchases.snapshot_number = later.snapshot_number
        and purchases.customer_id = later.customer_id

)

select * from final
