-- What known customers bought and got back month by month, and the month of their first
-- purchase; who has no purchase has none.
with movements as (

    select
        customer_id,
        order_date as moved_on,
        case when is_purchase then 1 else 0 end as purchase_count,
        net_amount as amount
    from {{ ref('int_orders') }}
    where customer_id is not null
    union all
    select
        customer_id,
        returned_on as moved_on,
        0 as purchase_count,
        -money_back_amount as amount
    from {{ ref('int_money_back') }}
    where customer_id is not null

),

dated as (

    select
        customer_id,
        cast({{ dbt.date_trunc('month', 'moved_on') }} as date) as month_start_date,
        purchase_count,
        amount
    from movements

),

months as (

    select
        customer_id,
        month_start_date,
        cast(sum(purchase_count) as integer) as purchase_count,
        {{ money('sum(amount)') }} as revenue
    from dated
    group by customer_id, month_start_date

),

final as (

    select
        customer_id,
        min(case when purchase_count > 0 then month_start_date end) over (
            partition by customer_id
        ) as cohort_month,
        month_start_date,
        purchase_count,
        revenue
    from months

)

select * from final
