-- Orders as of the date, net of what had come back by then. A document of returns only
-- is no order.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

sales as (

    select lines.*
    from {{ ref('int_counted_lines') }} as lines
    cross join clock
    where not lines.is_return and lines.order_date < clock.as_of_date

),

taken_back as (

    select
        matches.sale_line_id,
        sum(matches.units) as returned_units,
        sum(matches.returned_amount) as returned_amount
    from {{ ref('int_return_matches') }} as matches
    cross join clock
    where cast(matches.returned_at as date) < clock.as_of_date
    group by matches.sale_line_id

),

final as (

    select
        sales.order_id,
        max(sales.customer_id) as customer_id,
        min(sales.channel) as channel,
        min(sales.ordered_at) as ordered_at,
        min(sales.order_date) as order_date,
        count(*) as line_count,
        count(distinct sales.product_id) as product_count,
        cast(sum(sales.quantity) as decimal(18, 4)) as unit_count,
        cast(coalesce(sum(taken_back.returned_units), 0) as decimal(18, 4))
            as returned_unit_count,
        {{ money('sum(sales.net_amount)') }} as gross_amount,
        {{ money('sum(sales.discount_amount)') }} as discount_amount,
        {{ money('coalesce(sum(taken_back.returned_amount), 0)') }} as returned_amount,
        {{ money(
            'sum(sales.net_amount) - coalesce(sum(taken_back.returned_amount), 0)'
        ) }} as net_amount
    from sales
    left join taken_back on sales.line_id = taken_back.sale_line_id
    group by sales.order_id

)

select
    *,
    {{ is_purchase('net_amount', 'gross_amount', 'returned_unit_count') }}
        as is_purchase
from final
