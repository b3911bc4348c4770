-- What returns without a stated order could touch, in order of time, with the price at
-- which each move takes place: a return at a price never paid before is taken from the
-- price of the latest sale. At the same instant sales come before returns.
with lines as (

    select * from {{ ref('int_counted_lines') }}
    where customer_id is not null and product_id is not null

),

stated as (

    select distinct return_line_id from {{ ref('int_stated_return_matches') }}

),

unstated_lines as (

    select lines.*
    from lines
    left join stated on lines.line_id = stated.return_line_id
    where stated.return_line_id is null

),

returned_products as (

    select
        customer_id,
        product_id,
        max(ordered_at) as last_returned_at
    from unstated_lines
    where is_return
    group by customer_id, product_id

),

ordered as (

    select
        unstated_lines.*,
        row_number() over (
            partition by unstated_lines.customer_id, unstated_lines.product_id
            order by
                unstated_lines.ordered_at asc,
                case when unstated_lines.is_return then 1 else 0 end,
                unstated_lines.order_id asc,
                unstated_lines.paid_unit_price desc,
                unstated_lines.line_id asc
        ) as move_number
    from unstated_lines
    inner join returned_products
        on unstated_lines.customer_id = returned_products.customer_id
        and unstated_lines.product_id = returned_products.product_id
        and unstated_lines.ordered_at <= returned_products.last_returned_at

),

sale_numbers as (

    select
        *,
        case when not is_return then move_number end as sale_number
    from ordered

),

priced as (

    select
        *,
        case
            when not is_return then paid_unit_price
            when min(sale_number) over (
                partition by customer_id, product_id, paid_unit_price
            ) < move_number then paid_unit_price
            else max_by(paid_unit_price, sale_number) over (
                partition by customer_id, product_id order by move_number
                rows unbounded preceding
            )
        end as shelf_price
    from sale_numbers

)

select * from priced
where shelf_price is not null
