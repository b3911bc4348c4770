-- The lines that count towards revenue under the policies on fees and returns, with
-- the unit price that was really paid. An order has one customer: a guest line of an
-- order whose customer is known is that customer's.
with lines as (

    select lines.*
    from {{ ref('stg_order_lines') }} as lines
    {% if is_continued() -%}
    where
        lines.order_id in (
            select changed.order_id from {{ changed_orders() }} as changed
        )
    {%- endif %}

),

order_customers as (

    select
        order_id,
        max(customer_id) as customer_id
    from lines
    group by order_id

),

final as (

    select
        lines.line_id,
        lines.order_id,
        order_customers.customer_id,
        lines.product_id,
        lines.original_order_id,
        lines.line_type,
        lines.channel,
        lines.quantity,
        lines.discount_amount,
        lines.net_amount,
        lines.unit_cost,
        -- in cents, for finding the sale that a return undoes
        cast(
            {{ ratio('lines.net_amount', 'lines.quantity', 2) }}
            as decimal(18, 2)
        ) as paid_unit_price,
        lines.quantity < 0 as is_return,
        lines.ordered_at,
        lines.order_date
    from lines
    left join order_customers on lines.order_id = order_customers.order_id
    where
        ('{{ var("fees") }}' = 'keep' or lines.line_type not in ('fee', 'adjustment'))
        and ('{{ var("returns") }}' = 'net' or lines.quantity > 0)

)

select * from final
