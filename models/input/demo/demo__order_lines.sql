select * from {{ ref('demo_order_lines') }}
