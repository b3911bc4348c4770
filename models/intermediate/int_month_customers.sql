-- Customers at the end of each month that is to be computed, from the first order on,
-- as an as-of date of the next day would show them.
with orders as (

    select
        orders.*,
        months.month_start_date,
        months.next_month_start
    from {{ ref('int_month_orders') }} as orders
    inner join {{ ref('int_history_months') }} as months
        on orders.month_end_date = months.month_end_date

),

movements as (

    select * from {{ ref('int_month_movements') }}

),

moved as (

    select
        orders.customer_id,
        orders.month_end_date,
        {%- for measure in ['given_back_amount', 'money_back_amount'] %}
        {{ money('sum(movements.' ~ measure ~ ')') }} as {{ measure }},
        {{ money(
            'sum(case when movements.month_start_date = orders.month_start_date then '
            ~ 'movements.' ~ measure ~ ' else 0 end)'
        ) }} as month_{{ measure }},
        {%- endfor %}
        {{ money(
            'sum(case when movements.month_start_date = orders.month_start_date then '
            ~ 'movements.revenue else 0 end)'
        ) }} as month_revenue,
        {{ money(
            'sum(case when '
            ~ is_in_rfm_window('movements.month_start_date', 'orders.next_month_start')
            ~ ' then movements.money_back_amount else 0 end)'
        ) }} as rfm_money_back_amount,
        sum(movements.event_count) as event_count
    from orders
    inner join movements
        on orders.customer_id = movements.customer_id
        and orders.month_start_date >= movements.month_start_date
    group by orders.customer_id, orders.month_end_date

),

final as (

    select
        orders.customer_id,
        orders.month_end_date,
        true as has_orders,
        cast(orders.frequency as integer) as frequency,
        cast(orders.rfm_frequency as integer) as rfm_frequency,
        cast(orders.month_purchase_count as integer) as month_purchase_count,
        orders.active_months,
        orders.unit_count,
        orders.first_purchase_date,
        orders.last_purchase_date,
        orders.previous_purchase_date,
        cast({{ dbt.datediff(
            'orders.last_purchase_date', 'orders.next_month_start', 'day'
        ) }} as integer) as recency_days,
        cast({{ dbt.datediff(
            'orders.first_purchase_date', 'orders.next_month_start', 'day'
        ) }} as integer) as tenure_days,
        orders.gross_amount,
        orders.discount_amount,
        orders.order_net_amount,
        moved.given_back_amount,
        moved.month_given_back_amount,
        {{ money('orders.order_net_amount - moved.money_back_amount') }} as monetary,
        {{ money('orders.rfm_order_net_amount - moved.rfm_money_back_amount') }}
            as rfm_monetary,
        moved.month_revenue,
        moved.event_count
    from orders
    inner join moved
        on orders.customer_id = moved.customer_id
        and orders.month_end_date = moved.month_end_date

)

select * from final
