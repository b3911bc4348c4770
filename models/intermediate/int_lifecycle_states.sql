-- Where a customer stands, by dates alone: no scores, no model.
{% if has('order_lines') -%}
with customers as (

    select * from {{ ref('int_customer_rfm') }}

),

-- that of the RFM model in force, which the months were judged by too
horizon as (

    select
        coalesce(
            max(models.churn_horizon_days), max(fresh.churn_horizon_days)
        ) as churn_horizon_days
    from {{ ref('int_churn_horizon') }} as fresh
    left join {{ ref('int_rfm_model') }} as models on 1 = 1

),

final as (

    select
        customers.customer_id,
        cast(horizon.churn_horizon_days as integer) as churn_horizon_days,
        {{ lifecycle_state('customers', 'horizon.churn_horizon_days') }}
            as lifecycle_state
    from customers
    cross join horizon

)
{%- else -%}
with final as (

    select
        customer_id,
        cast(null as integer) as churn_horizon_days,
        cast(null as {{ dbt.type_string() }}) as lifecycle_state
    from {{ ref('int_customer_rfm') }}

)
{%- endif %}

select * from final
