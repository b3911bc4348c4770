-- How customers with a purchase buy, as of the date.
with customers as (

    select * from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

purchases as (

    select
        customer_id,
        sum(unit_count) as unit_count,
        count(distinct {{ dbt.date_trunc('month', 'order_date') }}) as active_months
    from {{ ref('int_orders') }}
    where is_purchase and customer_id is not null
    group by customer_id

),

events as (

    select
        events.customer_id,
        count(*) as event_count
    from {{ ref('stg_customer_events') }} as events
    cross join {{ ref('int_as_of_date') }} as clock
    where cast(events.event_at as date) < clock.as_of_date
    group by events.customer_id

),

{{ habit_ctes() }}

select * from habits
