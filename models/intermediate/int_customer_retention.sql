-- When a customer came back, and whether the customer bought in the last two churn
-- horizons: the H days before the as-of date, and the H days before those.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

horizon as (

    select * from {{ ref('int_churn_horizon') }}

),

purchase_days as (

    select
        days.customer_id,
        days.purchase_date,
        clock.as_of_date,
        {{ dbt.datediff('days.purchase_date', 'clock.as_of_date', 'day') }} as days_ago,
        horizon.churn_horizon_days as horizon_days,
        row_number() over (
            partition by days.customer_id order by days.purchase_date
        ) as purchase_number
    from {{ ref('int_purchase_days') }} as days
    cross join clock
    cross join horizon

),

customers as (

    select
        customer_id,
        max(as_of_date) as as_of_date,
        min(purchase_date) as first_purchase_date,
        max(case when purchase_number = 2 then purchase_date end)
            as second_purchase_date,
        max(case
            when days_ago > horizon_days and days_ago <= 2 * horizon_days then 1
            else 0
        end) as active_before,
        max(case when days_ago <= horizon_days then 1 else 0 end) as active_lately
    from purchase_days
    group by customer_id

),

final as (

    select
        customer_id,
        first_purchase_date,
        second_purchase_date,
        cast(
            {{ dbt.datediff(
                'first_purchase_date', 'coalesce(second_purchase_date, as_of_date)',
                'day'
            ) }}
            - case when second_purchase_date is null then 1 else 0 end as integer
        ) as follow_up_days,
        second_purchase_date is not null as is_repeat_customer,
        active_before = 1 as is_active_before,
        active_before = 1 and active_lately = 1 as is_retained
    from customers

)

select * from final
