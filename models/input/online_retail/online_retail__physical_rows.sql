-- Counted apart from the reading: every physical line that is not blank, less the
-- header and the lines that continue a quoted field.
select
    'order_lines' as source_table,
    counted.row_count - coalesce(continued.line_count, 0) as row_count
from ({{ count_physical_rows('online_retail__raw_lines') }}) as counted
cross join (
    select sum(line_count - 1) as line_count
    from {{ ref('online_retail__raw_lines') }}
) as continued
