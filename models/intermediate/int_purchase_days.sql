-- The days on which known customers bought. Of a day all purchases together: whoever
-- comes twice on one day has not come back.
with orders as (

    select * from {{ ref('int_orders') }}

),

final as (

    select
        customer_id,
        order_date as purchase_date,
        cast(count(*) as integer) as order_count,
        {{ money('sum(net_amount)') }} as net_amount
    from orders
    where is_purchase and customer_id is not null
    group by customer_id, order_date

)

select * from final
