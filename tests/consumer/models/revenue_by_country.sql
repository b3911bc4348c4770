{{ config(group='segmentation') }}

select
    country,
    sum(monetary) as revenue
from {{ ref('customer_segmentation', 'dim_customers') }}
group by country
