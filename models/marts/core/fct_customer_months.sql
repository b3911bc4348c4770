with history as (

    select * from {{ ref('int_customer_history') }}

),

final as (

    select
        customer_id,
        month_end_date,
        is_closed,
        is_warm_up,
        recency_days,
        tenure_days,
        frequency,
        monetary,
        rfm_frequency,
        rfm_monetary,
        month_purchase_count,
        month_revenue,
        month_given_back_amount,
        rfm_status,
        recency_score,
        frequency_score,
        monetary_score,
        rfm_segment,
        current_rfm_segment,
        rfm_model_version,
        lifecycle_state,
        policy_hash
    from history

)

select * from final
