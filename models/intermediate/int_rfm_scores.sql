-- Scores 1 to 5, 5 is best, by the cut points in force; null with a status where there
-- is no purchase or too few customers to rank.
with customers as (

    select * from {{ ref('int_customer_rfm') }}

),

model as (

    select
        {% for score in [2, 3, 4, 5] %}
        max(case when score = {{ score }} then maximum_recency_days end)
            as recency_{{ score }},
        max(case when score = {{ score }} then minimum_frequency end)
            as frequency_{{ score }},
        max(case when score = {{ score }} then minimum_monetary end)
            as monetary_{{ score }},
        {% endfor %}
        max(model_version) as rfm_model_version,
        max(churn_horizon_days) as churn_horizon_days
    from {{ ref('int_rfm_model') }}

),

scored as (

    select
        customers.customer_id,
        model.rfm_model_version,
        case
            when customers.frequency = 0 then 'no_purchase'
            when model.rfm_model_version is null
                then {{ "'not_fitted'" if var('refit_policy') == 'never'
                    else "'insufficient_data'" }}
            else 'scored'
        end as rfm_status,
        customers.recency_days > model.churn_horizon_days as is_beyond_horizon,
        1
        {% for score in [2, 3, 4, 5] %}
        + case
            when customers.recency_days <= model.recency_{{ score }} then 1 else 0
        end
        {% endfor %}
            as recency_score,
        1
        {% for score in [2, 3, 4, 5] %}
        + case when customers.frequency >= model.frequency_{{ score }} then 1 else 0 end
        {% endfor %}
            as frequency_score,
        1
        {% for score in [2, 3, 4, 5] %}
        + case when customers.monetary >= model.monetary_{{ score }} then 1 else 0 end
        {% endfor %}
            as monetary_score
    from customers
    cross join model

),

final as (

    select
        customer_id,
        rfm_model_version,
        rfm_status,
        -- relative ranks must not call the long silent recent
        case
            when rfm_status <> 'scored' then null
            when is_beyond_horizon then least(recency_score, 2)
            else recency_score
        end as recency_score,
        case when rfm_status = 'scored' then frequency_score end as frequency_score,
        case when rfm_status = 'scored' then monetary_score end as monetary_score
    from scored

)

select * from final
