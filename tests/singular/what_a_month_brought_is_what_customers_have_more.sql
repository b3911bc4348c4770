{{ config(group='segmentation') }}

-- Spend in all at a month end is that of the month before and the month's revenue. Of
-- months as they were closed, and what came late for an earlier one, neither knows.
with months as (

    select * from {{ ref('int_history_months') }}

),

customers as (

    select * from {{ ref('int_month_customers') }}

),

final as (

    select
        customers.customer_id,
        customers.month_end_date,
        customers.monetary,
        earlier.monetary as monetary_before,
        customers.month_revenue
    from customers
    inner join months on customers.month_end_date = months.month_end_date
    inner join customers as earlier
        on customers.customer_id = earlier.customer_id
        and months.previous_month_end_date = earlier.month_end_date
    where customers.monetary <> earlier.monetary + customers.month_revenue

)

select * from final
