-- What each return takes back from each sale, in money. Causal: a match depends on
-- earlier lines only, so that filtering by returned_at gives any past date. A matched
-- unit takes back the lesser of what was paid and what was given back.
with matches as (

    select * from {{ ref('int_stated_return_matches') }}
    union all
    select * from {{ ref('int_inferred_return_matches') }}

),

lines as (

    select * from {{ ref('int_counted_lines') }}

),

-- both ways may name one sale: its units come back once, earliest return first
running as (

    select
        matches.return_line_id,
        matches.sale_line_id,
        matches.returned_at,
        matches.units,
        sales.quantity as sale_units,
        sales.net_amount as sale_amount,
        -returned.quantity as return_units,
        -returned.net_amount as return_amount,
        sum(matches.units) over (
            partition by matches.sale_line_id
            order by matches.returned_at, matches.return_line_id
            rows unbounded preceding
        ) as sale_units_until
    from matches
    inner join lines as sales on matches.sale_line_id = sales.line_id
    inner join lines as returned on matches.return_line_id = returned.line_id

),

bounded as (

    select
        *,
        least(sale_units_until, sale_units) as sale_units_after,
        least(sale_units_until - units, sale_units) as sale_units_before
    from running

),

open_units as (

    select
        *,
        sale_units_after - sale_units_before as taken_units,
        sum(sale_units_after - sale_units_before) over (
            partition by return_line_id order by sale_line_id
            rows unbounded preceding
        ) as return_units_after,
        coalesce(sum(sale_units_after - sale_units_before) over (
            partition by return_line_id order by sale_line_id
            rows between unbounded preceding and 1 preceding
        ), 0) as return_units_before
    from bounded

),

-- a share of an amount as the difference of two running shares: all units together
-- take back exactly the amount
shares as (

    select
        *,
        {{ running_share('sale_amount', 'sale_units_after', 'sale_units') }}
        - {{ running_share('sale_amount', 'sale_units_before', 'sale_units') }}
            as paid_amount,
        {{ running_share('return_amount', 'return_units_after', 'return_units') }}
        - {{ running_share('return_amount', 'return_units_before', 'return_units') }}
            as given_back_amount
    from open_units

),

final as (

    select
        return_line_id,
        sale_line_id,
        returned_at,
        cast(taken_units as decimal(18, 4)) as units,
        {{ money('least(paid_amount, given_back_amount)') }} as returned_amount
    from shares
    where taken_units > 0

)

select * from final
