with orders as (

    select
        count(*) as order_count,
        coalesce(sum(net_amount), 0) as net_amount,
        sum(case when is_guest then 1 else 0 end) as guest_order_count,
        coalesce(sum(case when is_guest then net_amount end), 0) as guest_net_amount
    from {{ ref('fct_orders') }}

),

customers as (

    select
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(order_net_amount), 0) as net_amount
    from {{ ref('dim_customers') }}

),

final as (

    select
        orders.order_count,
        customers.order_count + orders.guest_order_count as order_count_of_both,
        orders.net_amount,
        customers.net_amount + orders.guest_net_amount as net_amount_of_both
    from orders
    cross join customers
    where
        orders.order_count
        <> customers.order_count + coalesce(orders.guest_order_count, 0)
        or orders.net_amount <> customers.net_amount + orders.guest_net_amount

)

select * from final
