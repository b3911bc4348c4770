{% for table in [
    'order_lines', 'customers', 'customer_events', 'campaigns', 'campaign_contacts',
] %}
select
    '{{ table }}' as source_table,
    count(*) as row_count
from {{ ref('demo_' ~ table) }}
{{ 'union all' if not loop.last }}
{% endfor %}
