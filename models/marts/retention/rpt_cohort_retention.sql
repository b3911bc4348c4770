with customer_months as (

    select * from {{ ref('int_customer_months') }}
    where month_start_date >= cohort_month

),

months as (

    select distinct
        calendar.month_start_date,
        cast({{ dbt.dateadd('month', 1, 'calendar.month_start_date') }} as date)
        <= clock.as_of_date as is_complete
    from {{ ref('dim_dates') }} as calendar
    cross join {{ ref('int_as_of_date') }} as clock
    where calendar.month_start_date < clock.as_of_date

),

cohorts as (

    select
        cohort_month,
        count(distinct customer_id) as customer_count
    from customer_months
    group by cohort_month

),

activity as (

    select
        cohort_month,
        month_start_date,
        sum(case when purchase_count > 0 then 1 else 0 end) as active_customer_count,
        {{ money('sum(revenue)') }} as revenue
    from customer_months
    group by cohort_month, month_start_date

),

spine as (

    select
        cohorts.cohort_month,
        {{ dbt.datediff('cohorts.cohort_month', 'months.month_start_date', 'month') }}
            as month_number,
        cohorts.customer_count,
        coalesce(activity.active_customer_count, 0) as active_customer_count,
        {{ money('coalesce(activity.revenue, 0)') }} as revenue,
        {{ money('sum(activity.revenue) over (
            partition by cohorts.cohort_month
            order by months.month_start_date
            rows between unbounded preceding and current row
        )') }} as cumulative_revenue,
        months.is_complete
    from cohorts
    inner join months on cohorts.cohort_month <= months.month_start_date
    left join activity
        on cohorts.cohort_month = activity.cohort_month
        and months.month_start_date = activity.month_start_date

),

final as (

    select
        cohort_month,
        cast(month_number as integer) as month_number,
        cast(customer_count as integer) as customer_count,
        cast(active_customer_count as integer) as active_customer_count,
        {{ ratio('active_customer_count', 'customer_count') }} as retention_rate,
        revenue,
        cumulative_revenue,
        {{ money(ratio('cumulative_revenue', 'customer_count', 4)) }}
            as cumulative_revenue_per_customer,
        is_complete
    from spine

)

select * from final
