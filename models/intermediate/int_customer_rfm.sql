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
orders as (

    select
        customer_id,
        count(*) as order_count,
        sum(case when is_purchase then 1 else 0 end) as frequency,
        min(case when is_purchase then order_date end) as first_purchase_date,
        max(case when is_purchase then order_date end) as last_purchase_date,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as order_net_amount
    from {{ ref('int_orders') }}
    where customer_id is not null
    group by customer_id

),

money_back as (

    select
        customer_id,
        {{ money('sum(given_back_amount)') }} as given_back_amount,
        {{ money('sum(money_back_amount)') }} as money_back_amount
    from {{ ref('int_money_back') }}
    where customer_id is not null
    group by customer_id

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
        ) }} as monetary
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
            'recency_days': 'integer', 'tenure_days': 'integer',
            'gross_amount': 'decimal(18, 4)', 'discount_amount': 'decimal(18, 4)',
            'given_back_amount': 'decimal(18, 4)',
            'order_net_amount': 'decimal(18, 4)',
            'money_back_amount': 'decimal(18, 4)', 'monetary': 'decimal(18, 4)',
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
