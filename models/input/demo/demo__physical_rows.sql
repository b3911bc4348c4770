{% for table in ['order_lines', 'customers', 'customer_events'] %}
select
    '{{ table }}' as source_table,
    count(*) as row_count
from {{ ref('demo_' ~ table) }}
{{ 'union all' if not loop.last }}
{% endfor %}
