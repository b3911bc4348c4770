-- RFM scores and segment, and lifecycle state, at the end of each month that is to be
-- computed, by the cut points and the horizon in force.
with customers as (

    select * from {{ ref('int_month_customers') }}

),

map as (

    select * from {{ ref('rfm_segment_map') }}

),

{{ rfm_score_ctes(['customer_id', 'month_end_date'], ref('int_rfm_model')) }},

horizon as (

    select
        coalesce(
            max(models.churn_horizon_days), max(fresh.churn_horizon_days)
        ) as churn_horizon_days
    from {{ ref('int_churn_horizon') }} as fresh
    left join model as models on 1 = 1

),

coded as (

    select
        *,
        100 * recency_score + 10 * frequency_score + monetary_score as rfm_code
    from scores

),

final as (

    select
        customers.customer_id,
        customers.month_end_date,
        coded.rfm_model_version,
        coded.rfm_status,
        cast(coded.recency_score as integer) as recency_score,
        cast(coded.frequency_score as integer) as frequency_score,
        cast(coded.monetary_score as integer) as monetary_score,
        {{ rfm_segment('map', 'customers') }} as rfm_segment,
        {{ lifecycle_state('customers', 'horizon.churn_horizon_days') }}
            as lifecycle_state
    from customers
    cross join horizon
    inner join coded
        on customers.customer_id = coded.customer_id
        and customers.month_end_date = coded.month_end_date
    left join map on coded.rfm_code = map.rfm_code

)

select * from final
