-- What a customer with a purchase is worth, how likely the customer is to leave, and
-- whom that makes worth a call.
with estimates as (

    select * from {{ ref('int_customer_values') }}

),

churn as (

    select * from {{ ref('int_customer_churn') }}

),

judged as (

    select
        estimates.*,
        churn.churn_model,
        case
            when churn.churn_status = 'no_skill' then churn.churn_status
            when churn.churn_probability is null then estimates.value_status
            else churn.churn_status
        end as churn_status,
        case when churn.churn_status <> 'no_skill' then churn.churn_probability end
            as churn_probability,
        churn.usual_churn_probability,
        case when churn.churn_status <> 'no_skill' then churn.purchase_probability_ratio end
            as purchase_probability_ratio
    from estimates
    inner join churn on estimates.customer_id = churn.customer_id

),

banded as (

    select
        judged.*,
        case
            {%- for fifth in range(5, 1, -1) %}
            when judged.lifetime_value >= thresholds.fifth_{{ fifth }}_value then {{ fifth }}
            {%- endfor %}
            when judged.lifetime_value is not null then 1
        end as lifetime_value_band,
        judged.lifetime_value >= thresholds.core_value as is_core_value,
        judged.value_if_retained >= thresholds.high_value as is_high_value,
        case
            when judged.purchase_probability_ratio >= 0.8 then 'low'
            when judged.purchase_probability_ratio >= 0.5 then 'elevated'
            when judged.purchase_probability_ratio >= 0.1 then 'high'
            when judged.purchase_probability_ratio is not null then 'gone'
        end as risk_band
    from judged
    cross join {{ ref('int_value_thresholds') }} as thresholds

),

final as (

    select
        banded.*,
        banded.is_high_value and banded.risk_band = 'high' as is_high_value_at_risk,
        case
            when banded.risk_band in ('elevated', 'high', 'gone')
                then reasons.churn_reasons
        end as churn_reasons
    from banded
    left join {{ ref('int_churn_reasons') }} as reasons
        on banded.customer_id = reasons.customer_id

)

select * from final
