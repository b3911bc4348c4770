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

returned as (

    select
        sales.order_id,
        cast(sum(taken_back.returned_units) as decimal(18, 4)) as returned_unit_count,
        {{ money('sum(taken_back.returned_amount)') }} as returned_amount
    from taken_back
    inner join sales on taken_back.sale_line_id = sales.line_id
    group by sales.order_id

),
{% if is_continued() %}
renewed as (

    select order_id from {{ changed_orders() }}
    union distinct
    {{ orders_with_other_returns('returned') }}

),
{% endif %}
sold as (

    select
        order_id,
        max(customer_id) as customer_id,
        min(channel) as channel,
        min(ordered_at) as ordered_at,
        min(order_date) as order_date,
        count(*) as line_count,
        count(distinct product_id) as product_count,
        cast(sum(quantity) as decimal(18, 4)) as unit_count,
        {{ money('sum(net_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount
    from sales
    {% if is_continued() -%}
    where order_id in (select renewed.order_id from renewed)
    {%- endif %}
    group by order_id

),

final as (

    select
        sold.order_id,
        sold.customer_id,
        sold.channel,
        sold.ordered_at,
        sold.order_date,
        sold.line_count,
        sold.product_count,
        sold.unit_count,
        cast(coalesce(returned.returned_unit_count, 0) as decimal(18, 4))
            as returned_unit_count,
        sold.gross_amount,
        sold.discount_amount,
        {{ money('coalesce(returned.returned_amount, 0)') }} as returned_amount,
        {{ money('sold.gross_amount - coalesce(returned.returned_amount, 0)') }}
            as net_amount
    from sold
    left join returned on sold.order_id = returned.order_id

)

select
    *,
    {{ is_purchase('net_amount', 'gross_amount', 'returned_unit_count') }}
        as is_purchase
from final
