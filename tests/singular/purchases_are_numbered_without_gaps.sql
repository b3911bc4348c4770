-- So that a customer's last number is the frequency.
with orders as (

    select
        customer_id,
        count(purchase_number) as purchase_count,
        count(distinct purchase_number) as number_count,
        max(purchase_number) as last_number
    from {{ ref('fct_orders') }}
    where purchase_number is not null
    group by customer_id

),

customers as (

    select * from {{ ref('dim_customers') }}

),

final as (

    select
        customers.customer_id,
        customers.frequency,
        orders.purchase_count,
        orders.number_count,
        orders.last_number
    from customers
    left join orders on customers.customer_id = orders.customer_id
    where
        customers.frequency <> coalesce(orders.purchase_count, 0)
        or customers.frequency <> coalesce(orders.number_count, 0)
        or customers.frequency <> coalesce(orders.last_number, 0)

)

select * from final
