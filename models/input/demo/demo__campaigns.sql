select * from {{ ref('demo_campaigns') }}
