-- Returns that state the order they undo: units are taken from that order's lines of
-- the same product, first line first, as far as units go.
with lines as (

    select * from {{ ref('int_counted_lines') }}

),

sales as (

    select
        *,
        coalesce(sum(quantity) over (
            partition by order_id, product_id order by line_id
            rows between unbounded preceding and 1 preceding
        ), 0) as units_before
    from lines
    where not is_return

),

returned as (

    select
        *,
        coalesce(sum(-quantity) over (
            partition by original_order_id, product_id order by ordered_at, line_id
            rows between unbounded preceding and 1 preceding
        ), 0) as units_before
    from lines
    where is_return and original_order_id is not null

),

final as (

    select
        returned.line_id as return_line_id,
        sales.line_id as sale_line_id,
        returned.ordered_at as returned_at,
        cast(
            least(
                sales.units_before + sales.quantity,
                returned.units_before - returned.quantity
            ) - greatest(sales.units_before, returned.units_before)
            as decimal(18, 4)
        ) as units
    from returned
    inner join sales
        on returned.original_order_id = sales.order_id
        and returned.product_id = sales.product_id
        and returned.ordered_at >= sales.ordered_at
        and sales.units_before < returned.units_before - returned.quantity
        and returned.units_before < sales.units_before + sales.quantity

)

select * from final
