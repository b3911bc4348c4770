{{ config(group='segmentation') }}

with matches as (

    select * from {{ ref('int_return_matches') }}

),

lines as (

    select * from {{ ref('int_counted_lines') }}

),

final as (

    select
        matches.return_line_id,
        matches.sale_line_id,
        matches.returned_at,
        sales.ordered_at
    from matches
    inner join lines as sales on matches.sale_line_id = sales.line_id
    where matches.returned_at < sales.ordered_at

)

select * from final
