select * from {{ ref('demo_customer_events') }}
