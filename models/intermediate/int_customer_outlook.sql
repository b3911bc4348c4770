-- What a customer with a purchase is worth, how likely the customer is to leave, and
-- whom that makes worth a call.
with estimates as (

    select * from {{ ref('int_customer_values') }}

),

churn as (

    select * from {{ ref('int_customer_churn') }}

),

-- where the model that judges leaving has no skill, nothing is said about it
judged as (

    select
        estimates.customer_id,
        estimates.value_status,
        estimates.value_basis,
        estimates.expected_purchases,
        estimates.expected_purchase_amount,
        estimates.lifetime_value,
        estimates.value_if_retained,
        churn.churn_model,
        case
            when churn.churn_status = 'no_skill' then churn.churn_status
            when churn.churn_probability is null then estimates.value_status
            else churn.churn_status
        end as churn_status,
        case when churn.churn_status <> 'no_skill' then churn.churn_probability end
            as churn_probability,
        churn.usual_churn_probability,
        case when churn.churn_status <> 'no_skill' then churn.alive_probability end
            as alive_probability,
        case when churn.churn_status <> 'no_skill' then churn.rhythm_share end
            as rhythm_share
    from estimates
    inner join churn on estimates.customer_id = churn.customer_id

),

banded as (

    select
        judged.*,
        {{ money('(1 - judged.alive_probability) * judged.value_if_retained') }}
            as value_at_risk,
        case
            {%- for fifth in range(5, 1, -1) %}
            when judged.lifetime_value >= thresholds.fifth_{{ fifth }}_value
                then {{ fifth }}
            {%- endfor %}
            when judged.lifetime_value is not null then 1
        end as lifetime_value_band,
        judged.lifetime_value >= thresholds.core_value as is_core_value,
        judged.value_if_retained >= thresholds.high_value as is_high_value,
        case
            when judged.rhythm_share >= 0.9 then 'low'
            when judged.rhythm_share >= 0.5 then 'elevated'
            when judged.rhythm_share >= 0.1 then 'high'
            when judged.rhythm_share is not null then 'gone'
        end as risk_band
    from judged
    cross join {{ ref('int_value_thresholds') }} as thresholds

),

final as (

    select
        banded.*,
        -- whoever is new is to be welcomed, not called back
        banded.is_high_value
        and banded.risk_band in ('elevated', 'high')
        and lifecycle.lifecycle_state <> 'new' as is_high_value_at_risk,
        case
            when banded.risk_band in ('elevated', 'high', 'gone')
                then reasons.churn_reasons
        end as churn_reasons
    from banded
    inner join {{ ref('int_lifecycle_states') }} as lifecycle
        on banded.customer_id = lifecycle.customer_id
    left join {{ ref('int_churn_reasons') }} as reasons
        on banded.customer_id = reasons.customer_id

)

select * from final
