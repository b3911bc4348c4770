with orders as (

    select * from {{ ref('int_orders') }}

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
