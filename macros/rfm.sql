{#- How many fifths of the others lie below a rank that counts from 0: 0 to 4. Equal
    values have equal ranks, so equal scores. A single customer has rank 0 of 1. -#}
{% macro fifths_below(rank) -%}
    cast(least(4, floor(5 * {{ rank }} / greatest(customer_count - 1, 1))) as integer)
{%- endmacro %}

{#- Whether what happened on a day counts towards frequency and monetary value of RFM:
    all of it, or the months of rfm_window_months before the date. -#}
{% macro is_in_rfm_window(day, date) -%}
    {%- if var('rfm_window_months') -%}
    {{ day }} >= {{ dbt.dateadd('month', -(var('rfm_window_months') | int), date) }}
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- Scores 1 to 5 by the cut points of a relation, as three further CTEs. Before them
    stands customers: the columns `keys`, frequency, recency_days, rfm_frequency,
    rfm_monetary. -#}
{% macro rfm_score_ctes(keys, cut_points) -%}
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
    from {{ cut_points }}

),

scored as (

    select
        {% for key in keys %}
        customers.{{ key }},
        {% endfor %}
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
        + case
            when customers.rfm_frequency >= model.frequency_{{ score }} then 1 else 0
        end
        {% endfor %}
            as frequency_score,
        1
        {% for score in [2, 3, 4, 5] %}
        + case
            when customers.rfm_monetary >= model.monetary_{{ score }} then 1 else 0
        end
        {% endfor %}
            as monetary_score
    from customers
    cross join model

),

scores as (

    select
        {% for key in keys %}
        {{ key }},
        {% endfor %}
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
{%- endmacro %}

{#- The segment that a row of rfm_segment_map names, under the conditions that keep its
    name true; of a customer with tenure_days and rfm_frequency. -#}
{% macro rfm_segment(map, customers) -%}
    case
        when
            {{ map }}.needs_new_customer
            and {{ customers }}.tenure_days > {{ var('new_customer_days') }}
            then {{ map }}.otherwise
        when {{ customers }}.rfm_frequency < {{ map }}.min_orders
            then {{ map }}.otherwise
        else {{ map }}.segment_name
    end
{%- endmacro %}
