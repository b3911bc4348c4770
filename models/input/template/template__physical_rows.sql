{% for table in ['order_lines', 'customers'] %}
select
    '{{ table }}' as source_table,
    counted.row_count - coalesce(continued.line_count, 0) as row_count
from ({{ count_physical_rows('template__raw_' ~ table) }}) as counted
cross join (
    select sum(line_count - 1) as line_count
    from {{ ref('template__raw_' ~ table) }}
) as continued
{{ 'union all' if not loop.last }}
{% endfor %}
