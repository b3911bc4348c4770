-- What new cut points change by themselves: the share of all customers with scores who
-- are in another RFM segment by them than by the cut points before, both on today's
-- data. No rows where the cut points are not new.
with decisions as (

    select * from {{ ref('int_refit_decisions') }}
    where segmentation = 'rfm'

),

customers as (

    select * from {{ ref('int_customer_rfm') }}

),

registered as (

    select cut_points.*
    from {{ source('registry', 'rfm_cut_points') }} as cut_points
    inner join decisions on cut_points.model_version = decisions.latest_version
    where decisions.is_refit

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
        model_version,
        max(churn_horizon_days) as churn_horizon_days
    from registered
    group by model_version

),

scored as (

    select
        customers.customer_id,
        customers.frequency,
        customers.tenure_days,
        model.model_version,
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
    where customers.frequency > 0

),

coded as (

    select
        *,
        100 * case
            when is_beyond_horizon then least(recency_score, 2) else recency_score
        end + 10 * frequency_score + monetary_score as rfm_code
    from scored

),

before as (

    select
        coded.customer_id,
        coded.model_version,
        case
            when
                map.needs_new_customer
                and coded.tenure_days > {{ var('new_customer_days') }}
                then map.otherwise
            when coded.frequency < map.min_orders then map.otherwise
            else map.segment_name
        end as rfm_segment
    from coded
    left join {{ ref('rfm_segment_map') }} as map on coded.rfm_code = map.rfm_code

),

final as (

    select
        now.rfm_model_version as model_version,
        {{ ratio(
            'sum(case when now.rfm_segment is distinct from before.rfm_segment'
            ~ ' then 1 else 0 end)',
            'count(*)'
        ) }} as changed_by_model_share
    from {{ ref('int_rfm_segments') }} as now
    inner join before on now.customer_id = before.customer_id
    where now.rfm_model_version > before.model_version
    group by now.rfm_model_version

)

select * from final
