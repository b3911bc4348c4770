{{ config(group='segmentation') }}

-- From the first month on a customer is in every one up to the last.
with customers as (

    select
        customer_id,
        count(*) as month_count,
        min(month_end_date) as first_month_end_date
    from {{ ref('fct_customer_months') }}
    group by customer_id

),

final as (

    select
        customers.customer_id,
        customers.month_count,
        count(months.month_end_date) as expected_count
    from customers
    inner join {{ ref('rpt_history') }} as months
        on customers.first_month_end_date <= months.month_end_date
    group by customers.customer_id, customers.month_count
    having customers.month_count <> count(months.month_end_date)

)

select * from final
