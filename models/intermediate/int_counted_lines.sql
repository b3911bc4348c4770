-- The lines that count towards revenue under the policies on fees and returns, with
-- the unit price that was really paid. An order has one customer: a guest line of an
-- order whose customer is known is that customer's.
with lines as (

    select * from {{ ref('stg_order_lines') }}

),

final as (

    select
        line_id,
        order_id,
        max(customer_id) over (partition by order_id) as customer_id,
        product_id,
        original_order_id,
        line_type,
        channel,
        quantity,
        discount_amount,
        {{ money('quantity * unit_cost') }} as cost_amount,
        net_amount,
        -- in cents, for finding the sale that a return undoes
        cast(
            round(cast(net_amount as double) / cast(quantity as double), 2)
            as decimal(18, 2)
        ) as paid_unit_price,
        quantity < 0 as is_return,
        ordered_at,
        order_date
    from lines
    where
        ('{{ var("fees") }}' = 'keep' or line_type not in ('fee', 'adjustment'))
        and ('{{ var("returns") }}' = 'net' or quantity > 0)

)

select * from final
