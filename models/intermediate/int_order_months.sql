-- Orders of known customers as known at the end of each month in which a line or a
-- return of theirs came: so every past month can be told as it was. A state holds
-- before until_month, which for the last one is far away.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

lines as (

    select lines.*
    from {{ ref('int_counted_lines') }} as lines
    cross join clock
    where
        not lines.is_return
        and lines.customer_id is not null
        and lines.order_date < clock.as_of_date

),

movements as (

    select
        order_id,
        customer_id,
        order_date as moved_on,
        order_date,
        quantity as unit_count,
        net_amount as gross_amount,
        discount_amount,
        0 as returned_units,
        0 as returned_amount
    from lines
    union all
    select
        lines.order_id,
        lines.customer_id,
        cast(matches.returned_at as date) as moved_on,
        cast(null as date) as order_date,
        0 as unit_count,
        0 as gross_amount,
        0 as discount_amount,
        matches.units as returned_units,
        matches.returned_amount
    from {{ ref('int_return_matches') }} as matches
    inner join lines on matches.sale_line_id = lines.line_id
    cross join clock
    where cast(matches.returned_at as date) < clock.as_of_date

),

months as (

    select
        order_id,
        customer_id,
        cast({{ dbt.date_trunc('month', 'moved_on') }} as date) as month_start_date,
        min(order_date) as order_date,
        sum(unit_count) as unit_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(returned_units) as returned_units,
        sum(returned_amount) as returned_amount
    from movements
    group by order_id, customer_id, {{ dbt.date_trunc('month', 'moved_on') }}

),

running as (

    select
        order_id,
        customer_id,
        month_start_date,
        coalesce(
            lead(month_start_date) over (
                partition by order_id order by month_start_date
            ),
            cast('9999-01-01' as date)
        ) as until_month,
        {% for measure in [
            'unit_count', 'gross_amount', 'discount_amount', 'returned_units',
            'returned_amount',
        ] %}
        sum({{ measure }}) over (
            partition by order_id order by month_start_date rows unbounded preceding
        ) as {{ measure }},
        {% endfor %}
        min(order_date) over (
            partition by order_id order by month_start_date rows unbounded preceding
        ) as order_date
    from months

),

final as (

    select
        order_id,
        customer_id,
        order_date,
        month_start_date,
        until_month,
        cast(unit_count as decimal(18, 4)) as unit_count,
        {{ money('gross_amount') }} as gross_amount,
        {{ money('discount_amount') }} as discount_amount,
        {{ money('gross_amount - returned_amount') }} as net_amount,
        {{ is_purchase(
            'gross_amount - returned_amount', 'gross_amount', 'returned_units'
        ) }} as is_purchase
    from running

)

select * from final
