with {% if is_continued() -%}
renewed as (

    select order_id from {{ changed_orders() }}
    union distinct
    {{ orders_with_other_returns(ref('int_orders')) }}

),

-- who bought other orders than before: all of his are numbered anew
renewed_customers as (

    select customer_id from {{ changed_orders() }}
    union distinct
    select known.customer_id
    from {{ ref('int_orders') }} as known
    inner join renewed on known.order_id = renewed.order_id

),
{%- endif %}

orders as (

    select orders.*
    from {{ ref('int_orders') }} as orders
    {% if is_continued() -%}
    left join renewed on orders.order_id = renewed.order_id
    left join renewed_customers
        on orders.customer_id = renewed_customers.customer_id
    where
        renewed.order_id is not null
        or renewed_customers.customer_id is not null
    {%- endif %}

),

final as (

    select
        order_id,
        customer_id,
        channel,
        ordered_at,
        order_date,
        cast(line_count as integer) as line_count,
        cast(product_count as integer) as product_count,
        unit_count,
        returned_unit_count,
        gross_amount,
        discount_amount,
        returned_amount,
        net_amount,
        customer_id is null as is_guest,
        is_purchase,
        cast(case
            when is_purchase and customer_id is not null then row_number() over (
                -- guests' orders apart, or they would all be sorted in one place
                partition by
                    customer_id,
                    case when customer_id is null then order_id end,
                    is_purchase
                order by ordered_at, order_id
            )
        end as integer) as purchase_number
    from orders

)

select * from final
