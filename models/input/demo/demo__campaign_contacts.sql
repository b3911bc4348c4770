select * from {{ ref('demo_campaign_contacts') }}
