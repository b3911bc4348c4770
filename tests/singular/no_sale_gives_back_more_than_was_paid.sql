{{ config(group='segmentation') }}

with taken_back as (

    select
        sale_line_id,
        sum(returned_amount) as returned_amount
    from {{ ref('int_return_matches') }}
    group by sale_line_id

),

lines as (

    select * from {{ ref('int_counted_lines') }}

),

final as (

    select
        taken_back.sale_line_id,
        lines.net_amount,
        taken_back.returned_amount
    from taken_back
    left join lines on taken_back.sale_line_id = lines.line_id
    where
        lines.line_id is null
        or lines.is_return
        or taken_back.returned_amount < 0
        or taken_back.returned_amount > lines.net_amount

)

select * from final
