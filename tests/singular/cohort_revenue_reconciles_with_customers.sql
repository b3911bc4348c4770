{{ config(group='segmentation') }}

-- Cohort by cohort, to the last digit. Outside are movements before the month of the
-- customer's first purchase: money back, and orders that came back.
with customers as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'first_purchase_date') }} as date)
            as cohort_month,
        monetary
    from {{ ref('dim_customers') }}
    where frequency > 0

),

movements as (

    select
        customer_id,
        order_date as moved_on,
        net_amount as amount
    from {{ ref('fct_orders') }}
    union all
    select
        customer_id,
        returned_on as moved_on,
        -money_back_amount as amount
    from {{ ref('int_money_back') }}

),

outside as (

    select
        customers.cohort_month,
        sum(movements.amount) as amount
    from movements
    inner join customers on movements.customer_id = customers.customer_id
    where movements.moved_on < customers.cohort_month
    group by customers.cohort_month

),

expected as (

    select
        cohort_month,
        count(*) as customer_count,
        sum(monetary) as monetary
    from customers
    group by cohort_month

),

cohorts as (

    select
        cohort_month,
        max(customer_count) as customer_count,
        sum(revenue) as revenue
    from {{ ref('rpt_cohort_retention') }}
    group by cohort_month

),

final as (

    select
        coalesce(expected.cohort_month, cohorts.cohort_month) as cohort_month,
        cohorts.revenue,
        expected.monetary
    from expected
    full outer join cohorts on expected.cohort_month = cohorts.cohort_month
    left join outside on expected.cohort_month = outside.cohort_month
    where
        expected.cohort_month is null
        or cohorts.cohort_month is null
        or expected.customer_count <> cohorts.customer_count
        or cohorts.revenue <> expected.monetary - coalesce(outside.amount, 0)

)

select * from final
