select * from {{ ref('template__raw_customers') }}
