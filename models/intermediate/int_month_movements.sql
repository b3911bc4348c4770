-- What known customers bought and got back in a month, and what happened besides, each
-- on its own date: together the revenue of the month.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

lines as (

    select lines.*
    from {{ ref('int_counted_lines') }} as lines
    cross join clock
    where lines.customer_id is not null and lines.order_date < clock.as_of_date

),

movements as (

    select
        customer_id,
        order_date as moved_on,
        net_amount as revenue,
        0 as given_back_amount,
        0 as money_back_amount,
        0 as event_count
    from lines
    union all
    select
        customer_id,
        returned_on as moved_on,
        0 as revenue,
        given_back_amount,
        money_back_amount,
        0 as event_count
    from {{ ref('int_money_back') }}
    where customer_id is not null
    union all
    select
        events.customer_id,
        cast(events.event_at as date) as moved_on,
        0 as revenue,
        0 as given_back_amount,
        0 as money_back_amount,
        1 as event_count
    from {{ ref('stg_customer_events') }} as events
    cross join clock
    where cast(events.event_at as date) < clock.as_of_date

),

final as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'moved_on') }} as date) as month_start_date,
        {{ money('sum(revenue)') }} as revenue,
        {{ money('sum(given_back_amount)') }} as given_back_amount,
        {{ money('sum(money_back_amount)') }} as money_back_amount,
        sum(event_count) as event_count
    from movements
    group by customer_id, {{ dbt.date_trunc('month', 'moved_on') }}

)

select * from final
