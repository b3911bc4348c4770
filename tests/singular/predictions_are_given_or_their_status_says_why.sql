{{ config(group='segmentation') }}

-- Of every customer; and value at risk is a part of what a retained customer brings.
with customers as (

    select * from {{ ref('dim_customers') }}

),

final as (

    select
        customer_id,
        value_status,
        churn_status
    from customers
    where
        (value_status = 'predicted') <> (lifetime_value is not null)
        or (lifetime_value is null) <> (lifetime_value_band is null)
        or (lifetime_value is null) <> (value_if_retained is null)
        or (churn_status in ('ok', 'not_validated')) <> (churn_probability is not null)
        or risk_band is not null and churn_probability is null
        or (frequency = 0) <> (value_status = 'no_purchase')
        or abs(value_at_risk) > abs(value_if_retained)
        or is_high_value_at_risk and not is_high_value

)

select * from final
