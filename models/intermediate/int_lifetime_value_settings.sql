-- The configuration of the purchase and churn models, for Python. One row.
with final as (

    select
        '{{ var("purchase_model") }}' as purchase_model,
        '{{ var("purchase_prior") }}' as purchase_prior,
        '{{ var("purchase_values") }}' as purchase_values,
        horizon.churn_horizon_days,
        {{ var('value_horizon_days') }} as value_horizon_days,
        cast({{ var('annual_discount_rate') }} as double) as annual_discount_rate,
        {{ var('random_seed') }} as random_seed
    from {{ ref('int_churn_horizon') }} as horizon

)

select * from final
