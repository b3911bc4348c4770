-- The probability that a customer buys nothing within the churn horizon, by the model
-- that was chosen, and of being a customer still: P(alive) where that is the purchase
-- model; of another one how much of what the own rhythm promises is left.
with customers as (

    select * from {{ ref('int_snapshot_customers') }}
    where snapshot_number = 0

),

-- the same features as in segmentation.churn
features as (

    select
        customers.customer_id,
        ln(1 + customers.recency_days) as recency_days,
        ln(1 + customers.frequency) as frequency,
        ln(1 + greatest(cast(customers.monetary as double), 0)) as monetary,
        ln(1 + customers.observed_days) as tenure_days,
        case
            when estimates.purchase_probability is not null
                then greatest(-12, least(12, ln(
                    greatest(estimates.purchase_probability, 1e-9)
                    / greatest(1 - estimates.purchase_probability, 1e-9)
                )))
        end as purchase_logit,
        ln(1 + customers.recent_event_count) as recent_event_count,
        estimates.alive_probability,
        estimates.purchase_probability,
        estimates.usual_purchase_probability
    from customers
    inner join {{ ref('int_customer_values') }} as estimates
        on customers.customer_id = estimates.customer_id

),

chosen as (

    select
        max(case when is_chosen then model end) as churn_model,
        max(case when is_chosen then status end) as churn_status
    from {{ ref('ml_churn_validation') }}

),

coefficients as (

    select
        {% for feature in churn_features() -%}
        coalesce(sum(case when feature = '{{ feature }}' then coefficient end), 0)
            as {{ feature }},
        {% endfor -%}
        sum(case when feature = 'intercept' then coefficient end) as intercept
    from {{ ref('ml_churn_coefficients') }}

),

trees as (

    select
        features.customer_id,
        cast(sum(cast(leaves.value as decimal(28, 9))) as double) as log_odds
    from features
    inner join {{ ref('ml_churn_trees') }} as leaves
        on
        {% for feature in churn_features() %}
        coalesce(features.{{ feature }} > leaves.{{ feature }}_above, true)
        and coalesce(features.{{ feature }} <= leaves.{{ feature }}_at_most, true)
        {{ 'and' if not loop.last }}
        {%- endfor %}
    group by features.customer_id

),

judged as (

    select
        features.customer_id,
        chosen.churn_model,
        chosen.churn_status,
        features.alive_probability,
        features.usual_purchase_probability,
        case chosen.churn_model
            when 'logistic' then 1 / (1 + {{ exp_of(
                '-(coefficients.intercept'
                ~ ' + ' ~ churn_score('features', 'coefficients') ~ ')'
            ) }})
            when 'gradient_boosting' then 1 / (1 + {{ exp_of('-trees.log_odds') }})
            else features.purchase_probability
        end as purchase_probability
    from features
    cross join chosen
    cross join coefficients
    left join trees on features.customer_id = trees.customer_id

),

compared as (

    select
        *,
        churn_model in ('logistic', 'gradient_boosting') as is_supervised,
        case
            when purchase_probability > usual_purchase_probability then 1
            else {{ ratio('purchase_probability', 'usual_purchase_probability') }}
        end as rhythm_share
    from judged

),

final as (

    select
        customer_id,
        churn_model,
        churn_status,
        {{ rounded('1 - purchase_probability', 6) }} as churn_probability,
        {{ rounded('1 - usual_purchase_probability', 6) }} as usual_churn_probability,
        rhythm_share,
        case when is_supervised then rhythm_share else alive_probability end
            as alive_probability
    from compared

)

select * from final
