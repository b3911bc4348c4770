-- The months that have ended by the as-of date, since the first order of a known
-- customer. A month is closed once late_arrival_days have passed since its end; what
-- the registry holds of it then is kept, and its figures are only computed anew where
-- the model has changed since.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

bounds as (

    select
        clock.as_of_date,
        min(orders.order_date) as first_order_date
    from {{ ref('int_orders') }} as orders
    cross join clock
    where orders.customer_id is not null
    group by clock.as_of_date

),

horizon as (

    select coalesce(max(churn_horizon_days), 0) as churn_horizon_days
    from {{ ref('int_rfm_model') }}

),

digits as (
    {% for digit in range(10) %}
    select {{ digit }} as digit {{ 'union all' if not loop.last }}
    {%- endfor %}
),

numbers as (

    select ones.digit + 10 * tens.digit + 100 * hundreds.digit as month_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    {% if var('history_months') is not none %}
    where
        ones.digit + 10 * tens.digit + 100 * hundreds.digit
        < {{ var('history_months') }}
    {% endif %}

),

starts as (

    select
        bounds.as_of_date,
        bounds.first_order_date,
        cast({{ dbt.dateadd(
            'month', '-numbers.month_number',
            dbt.date_trunc('month', 'bounds.as_of_date')
        ) }} as date) as next_month_start
    from bounds
    cross join numbers

),

ended as (

    select
        *,
        cast({{ dbt.dateadd('month', -1, 'next_month_start') }} as date)
            as month_start_date,
        cast({{ dbt.dateadd('day', -1, 'next_month_start') }} as date) as month_end_date
    from starts
    where next_month_start > first_order_date

),

kept as (

    select
        month_end_date,
        max(is_warm_up) as is_warm_up
    from {{ ref('int_kept_months') }}
    group by month_end_date

),

kept_versions as (

    select distinct
        segmentation,
        month_end_date,
        coalesce(model_version, 0) as model_version
    from {{ ref('int_kept_labels') }}

),

-- some label is missing, or of a model that is no longer in force
outdated as (

    select distinct kept.month_end_date
    from kept
    cross join {{ ref('int_label_versions') }} as models
    left join kept_versions
        on kept.month_end_date = kept_versions.month_end_date
        and models.segmentation = kept_versions.segmentation
        and coalesce(models.model_version, 0) = kept_versions.model_version
    where kept_versions.month_end_date is null

),

dated as (

    select
        ended.*,
        {{ dbt.datediff('first_order_date', 'next_month_start', 'day') }}
            as observed_days,
        {{ dbt.datediff('next_month_start', 'as_of_date', 'day') }}
        >= {{ var('late_arrival_days') }} as is_closed
    from ended

),

first_month as (

    select min(month_end_date) as month_end_date from ended

),

final as (

    select
        dated.month_end_date,
        dated.month_start_date,
        dated.next_month_start,
        cast({{ dbt.dateadd('day', -1, 'dated.month_start_date') }} as date)
            as previous_month_end_date,
        coalesce(
            case when dated.is_closed then kept.is_warm_up end,
            {%- if var('history_warm_up_days') == 'auto' %}
            dated.observed_days < horizon.churn_horizon_days
            {%- else %}
            dated.observed_days < {{ var('history_warm_up_days') }}
            {%- endif %}
        ) as is_warm_up,
        dated.month_end_date = first_month.month_end_date as is_first,
        dated.is_closed,
        dated.is_closed and kept.month_end_date is not null as is_kept,
        not dated.is_closed
        or kept.month_end_date is null
        or outdated.month_end_date is not null as is_computed
    from dated
    cross join horizon
    cross join first_month
    left join kept on dated.month_end_date = kept.month_end_date
    left join outdated on dated.month_end_date = outdated.month_end_date

)

select * from final
