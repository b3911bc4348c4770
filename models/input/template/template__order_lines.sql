select * from {{ ref('template__raw_order_lines') }}
