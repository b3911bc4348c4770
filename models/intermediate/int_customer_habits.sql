-- How customers with a purchase buy. Shares from a few lines are noise: the shrunk ones
-- are drawn towards the share of all customers by the spend of the median customer.
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

overall as (

    select
        {{ ratio('sum(discount_amount)', 'sum(gross_amount + discount_amount)', 9) }}
            as discount_share,
        {{ ratio('sum(given_back_amount)', 'sum(gross_amount)', 9) }} as returned_share,
        percentile_cont(0.5) within group (order by cast(gross_amount as double))
            as median_amount
    from customers

),

final as (

    select
        customers.customer_id,
        {{ ratio('customers.order_net_amount', 'customers.frequency') }}
            as average_order_amount,
        {{ ratio('purchases.unit_count', 'customers.frequency') }} as units_per_order,
        {{ ratio('customers.frequency', 'purchases.active_months') }}
            as orders_per_active_month,
        {{ ratio(
            'customers.discount_amount',
            'customers.gross_amount + customers.discount_amount'
        ) }} as discount_share,
        {{ ratio('customers.given_back_amount', 'customers.gross_amount') }}
            as returned_share,
        {{ ratio(
            'customers.discount_amount + overall.discount_share * overall.median_amount',
            'customers.gross_amount + customers.discount_amount + overall.median_amount'
        ) }} as shrunk_discount_share,
        {{ ratio(
            'customers.given_back_amount'
            ~ ' + overall.returned_share * overall.median_amount',
            'customers.gross_amount + overall.median_amount'
        ) }} as shrunk_returned_share,
        {{ ratio('30.4375 * coalesce(events.event_count, 0)', 'customers.tenure_days') }}
            as events_per_month
    from customers
    inner join purchases on customers.customer_id = purchases.customer_id
    left join events on customers.customer_id = events.customer_id
    cross join overall

)

select * from final
