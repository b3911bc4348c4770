-- Scores 1 to 5, 5 is best, by the cut points in force; null with a status where there
-- is no purchase or too few customers to rank.
with customers as (

    select * from {{ ref('int_customer_rfm') }}

),

{{ rfm_score_ctes(['customer_id'], ref('int_rfm_model')) }}

select * from scores
