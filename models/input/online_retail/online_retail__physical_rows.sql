-- Counted apart from the reading: every physical line that is not blank, less the
-- header and the lines that continue a quoted field.
with counted as (

    {{ count_physical_rows('online_retail__raw_lines') }}

),

continued as (

    select coalesce(sum(line_count - 1), 0) as line_count
    from {{ ref('online_retail__raw_lines') }}

),

final as (

    select
        'order_lines' as source_table,
        counted.row_count - continued.line_count as row_count
    from counted
    cross join continued

)

select * from final
