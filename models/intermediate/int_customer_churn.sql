-- The probability that a customer buys nothing within the churn horizon, by the model
-- that was chosen, and of being a customer still: P(alive) where that is the purchase
-- model; of another one how much of what the own rhythm promises is left.
with features as (

    select * from {{ ref('int_churn_features') }}

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
        {{ coefficient_of(feature) }} as {{ feature }},
        {% endfor -%}
        {{ coefficient_of('intercept') }} as intercept
    from {{ ref('ml_churn_coefficients') }}

),

trees as (

    select
        features.customer_id,
        cast(sum(cast(leaves.value as decimal(28, 9))) as double) as log_odds
    from features
    inner join {{ ref('ml_churn_trees') }} as leaves
        on {{ within_leaf('features', 'leaves') }}
    group by features.customer_id

),

scored as (

    select
        features.*,
        chosen.churn_model,
        chosen.churn_status,
        chosen.churn_model in ('logistic', 'gradient_boosting') as is_supervised,
        case chosen.churn_model
            when 'logistic'
                then
                    coefficients.intercept
                    + {{ churn_score('features', 'coefficients') }}
            when 'gradient_boosting' then trees.log_odds
        end as log_odds
    from features
    cross join chosen
    cross join coefficients
    left join trees on features.customer_id = trees.customer_id

),

judged as (

    select
        customer_id,
        churn_model,
        churn_status,
        alive_probability,
        usual_purchase_probability,
        is_supervised,
        case
            when is_supervised then 1 / (1 + {{ exp_of('-log_odds') }})
            else purchase_probability
        end as purchase_probability
    from scored

),

compared as (

    select
        *,
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
