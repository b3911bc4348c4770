{{ config(group='segmentation') }}

-- To the last digit, guests included.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

lines as (

    select sum(counted.net_amount) as lines_amount
    from {{ ref('int_counted_lines') }} as counted
    cross join clock
    where counted.order_date < clock.as_of_date

),

orders as (

    select sum(net_amount) as orders_amount
    from {{ ref('fct_orders') }}

),

money_back as (

    select sum(money_back_amount) as money_back_amount
    from {{ ref('int_money_back') }}

),

final as (

    select
        lines.lines_amount,
        orders.orders_amount,
        money_back.money_back_amount
    from lines
    cross join orders
    cross join money_back
    where
        coalesce(lines.lines_amount, 0)
        <> coalesce(orders.orders_amount, 0) - coalesce(money_back.money_back_amount, 0)

)

select * from final
