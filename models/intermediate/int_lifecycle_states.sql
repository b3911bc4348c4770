-- Where a customer stands, by dates alone: no scores, no model.
{% if has('order_lines') -%}
with customers as (

    select * from {{ ref('int_customer_rfm') }}

),

final as (

    select
        customers.customer_id,
        horizon.churn_horizon_days,
        case
            when not customers.has_orders then 'prospect'
            when customers.frequency = 0 then 'no_net_purchase'
            when customers.tenure_days <= {{ var('new_customer_days') }} then 'new'
            when customers.recency_days > horizon.churn_horizon_days then 'lapsed'
            when customers.frequency = 1 then 'one_time'
            else 'active'
        end as lifecycle_state
    from customers
    cross join {{ ref('int_churn_horizon') }} as horizon

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
