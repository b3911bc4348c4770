-- Every customer known by the date, with recency, frequency and monetary value where
-- there was a purchase. A record without an order is a prospect.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

recorded as (

    select customers.customer_id
    from {{ ref('stg_customers') }} as customers
    cross join clock
    where
        customers.signed_up_at is null
        or clock.as_of_date is null
        or cast(customers.signed_up_at as date) < clock.as_of_date

),

{% if has('order_lines') -%}
dated_orders as (

    select
        orders.*,
        {{ is_in_rfm_window('orders.order_date', 'clock.as_of_date') }} as is_in_window,
        orders.order_date < max(
            case when orders.is_purchase then orders.order_date end
        ) over (partition by orders.customer_id) as is_before_last
    from {{ ref('int_orders') }} as orders
    cross join clock
    where orders.customer_id is not null

),

orders as (

    select
        customer_id,
        count(*) as order_count,
        sum(case when is_purchase then 1 else 0 end) as frequency,
        min(case when is_purchase then order_date end) as first_purchase_date,
        max(case when is_purchase then order_date end) as last_purchase_date,
        max(case when is_purchase and is_before_last then order_date end)
            as previous_purchase_date,
        sum(case when is_purchase and is_in_window then 1 else 0 end) as rfm_frequency,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as order_net_amount,
        {{ money('sum(case when is_in_window then net_amount else 0 end)') }}
            as rfm_order_net_amount
    from dated_orders
    group by customer_id

),

money_back as (

    select
        returned.customer_id,
        {{ money('sum(returned.given_back_amount)') }} as given_back_amount,
        {{ money('sum(returned.money_back_amount)') }} as money_back_amount,
        {{ money(
            'sum(case when ' ~ is_in_rfm_window('returned.returned_on', 'clock.as_of_date')
            ~ ' then returned.money_back_amount else 0 end)'
        ) }} as rfm_money_back_amount
    from {{ ref('int_money_back') }} as returned
    cross join clock
    where returned.customer_id is not null
    group by returned.customer_id

),

spine as (

    select customer_id from recorded
    union distinct
    select customer_id from orders
    union distinct
    select customer_id from money_back

),

final as (

    select
        spine.customer_id,
        clock.as_of_date,
        orders.customer_id is not null or money_back.customer_id is not null
            as has_orders,
        cast(coalesce(orders.order_count, 0) as integer) as order_count,
        cast(coalesce(orders.frequency, 0) as integer) as frequency,
        orders.first_purchase_date,
        orders.last_purchase_date,
        orders.previous_purchase_date,
        cast(coalesce(orders.rfm_frequency, 0) as integer) as rfm_frequency,
        cast(
            {{ dbt.datediff('orders.last_purchase_date', 'clock.as_of_date', 'day') }}
            as integer
        ) as recency_days,
        cast(
            {{ dbt.datediff('orders.first_purchase_date', 'clock.as_of_date', 'day') }}
            as integer
        ) as tenure_days,
        {{ money('coalesce(orders.gross_amount, 0)') }} as gross_amount,
        {{ money('coalesce(orders.discount_amount, 0)') }} as discount_amount,
        {{ money('coalesce(money_back.given_back_amount, 0)') }} as given_back_amount,
        {{ money('coalesce(orders.order_net_amount, 0)') }} as order_net_amount,
        {{ money('coalesce(money_back.money_back_amount, 0)') }} as money_back_amount,
        {{ money(
            'coalesce(orders.order_net_amount, 0)'
            ~ ' - coalesce(money_back.money_back_amount, 0)'
        ) }} as monetary,
        {{ money(
            'coalesce(orders.rfm_order_net_amount, 0)'
            ~ ' - coalesce(money_back.rfm_money_back_amount, 0)'
        ) }} as rfm_monetary
    from spine
    cross join clock
    left join orders on spine.customer_id = orders.customer_id
    left join money_back on spine.customer_id = money_back.customer_id

)
{%- else -%}
final as (

    select
        {%- for column, type in {
            'order_count': 'integer', 'frequency': 'integer',
            'first_purchase_date': 'date', 'last_purchase_date': 'date',
            'previous_purchase_date': 'date', 'rfm_frequency': 'integer',
            'recency_days': 'integer', 'tenure_days': 'integer',
            'gross_amount': 'decimal(18, 4)', 'discount_amount': 'decimal(18, 4)',
            'given_back_amount': 'decimal(18, 4)',
            'order_net_amount': 'decimal(18, 4)',
            'money_back_amount': 'decimal(18, 4)', 'monetary': 'decimal(18, 4)',
            'rfm_monetary': 'decimal(18, 4)',
        }.items() %}
        cast(null as {{ type }}) as {{ column }},
        {%- endfor %}
        recorded.customer_id,
        clock.as_of_date,
        false as has_orders
    from recorded
    cross join clock

)
{%- endif %}

select * from final
