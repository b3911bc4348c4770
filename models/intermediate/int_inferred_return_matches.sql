-- Returns without a stated order: last in, first out within customer, product and
-- price. A sale puts units on a shelf, a return takes them off its top; a slice of the
-- shelf that a return empties was filled by the sale just before. See
-- docs/decisions/0003 for the rule and what it was measured against.
with history as (

    select
        *,
        sum(quantity) over (
            partition by customer_id, product_id, shelf_price order by move_number
            rows unbounded preceding
        ) as balance
    from {{ ref('int_return_history') }}

),

-- units that can still come back: the balance, lifted wherever it would fall below zero
shelf as (

    select
        *,
        balance - least(0, min(balance) over (
            partition by customer_id, product_id, shelf_price order by move_number
            rows unbounded preceding
        )) as height
    from history

),

moves as (

    select
        *,
        lag(height, 1, 0) over (
            partition by customer_id, product_id, shelf_price order by move_number
        ) as height_before
    from shelf

),

heights as (

    select
        customer_id,
        product_id,
        shelf_price,
        height
    from moves
    union distinct
    select
        customer_id,
        product_id,
        shelf_price,
        0 as height
    from moves

),

-- slices of the shelf that no move cuts in two
layers as (

    select
        customer_id,
        product_id,
        shelf_price,
        height as bottom,
        lead(height) over (
            partition by customer_id, product_id, shelf_price order by height
        ) as top
    from heights

),

slices as (

    select
        moves.line_id,
        moves.is_return,
        moves.ordered_at,
        layers.top - layers.bottom as units,
        lag(moves.line_id) over (
            partition by
                moves.customer_id, moves.product_id, moves.shelf_price, layers.bottom
            order by moves.move_number
        ) as sale_line_id
    from moves
    inner join layers
        on moves.customer_id = layers.customer_id
        and moves.product_id = layers.product_id
        and moves.shelf_price = layers.shelf_price
        and layers.bottom >= least(moves.height_before, moves.height)
        and layers.bottom < greatest(moves.height_before, moves.height)

),

final as (

    select
        line_id as return_line_id,
        sale_line_id,
        ordered_at as returned_at,
        cast(sum(units) as decimal(18, 4)) as units
    from slices
    where is_return
    group by line_id, sale_line_id, ordered_at

)

select * from final
