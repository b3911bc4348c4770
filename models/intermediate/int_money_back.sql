-- What was given back, by return line, as of the date: the part that undoes a sale is
-- in that sale's order, the rest is money back on its own date.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

returned as (

    select lines.*
    from {{ ref('int_counted_lines') }} as lines
    cross join clock
    where lines.is_return and lines.order_date < clock.as_of_date

),

matched as (

    select
        return_line_id,
        sum(returned_amount) as matched_amount
    from {{ ref('int_return_matches') }}
    group by return_line_id

),

final as (

    select
        returned.line_id as return_line_id,
        returned.customer_id,
        returned.order_date as returned_on,
        {{ money('-returned.net_amount') }} as given_back_amount,
        {{ money('coalesce(matched.matched_amount, 0)') }} as matched_amount,
        {{ money('-returned.net_amount - coalesce(matched.matched_amount, 0)') }}
            as money_back_amount
    from returned
    left join matched on returned.line_id = matched.return_line_id

)

select * from final
