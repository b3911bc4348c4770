-- After how many silent days a customer counts as gone: as configured, else the 90th
-- percentile of the days between a customer's purchase days.
with purchase_days as (

    select * from {{ ref('int_purchase_days') }}

),

intervals as (

    select
        {{ dbt.datediff(
            'lag(purchase_date) over (partition by customer_id order by purchase_date)',
            'purchase_date', 'day'
        ) }} as days_between
    from purchase_days

),

final as (

    select
        count(days_between) as interval_count,
        {%- if var('churn_horizon_days') == 'auto' %}
        cast(ceil(percentile_cont(0.9) within group (order by days_between)) as integer)
        {%- else %}
        cast({{ var('churn_horizon_days') }} as integer)
        {%- endif %} as churn_horizon_days
    from intervals
    where days_between is not null

)

select * from final
