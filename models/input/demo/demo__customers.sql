select * from {{ ref('demo_customers') }}
