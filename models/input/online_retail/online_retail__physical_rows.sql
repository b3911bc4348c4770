-- Counted apart from the reading: every physical line that is not blank, less the
-- header and the lines that continue a quoted field.
with lines as (

    {{ physical_rows() }}

),

continuations as (

    select sum(line_count - 1) as line_count
    from {{ ref('online_retail__raw_lines') }}

),

final as (

    select
        'order_lines' as source_table,
        lines.row_count - continuations.line_count as row_count
    from lines
    cross join continuations

)

select * from final
