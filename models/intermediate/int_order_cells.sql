-- The states of orders that a customer's orders of one month share, in one row: few
-- rows, from which every month end is summed.
with orders as (

    select
        *,
        cast({{ dbt.date_trunc('month', 'order_date') }} as date) as order_month,
        max(case when is_purchase then order_date end) over (
            partition by
                customer_id, {{ dbt.date_trunc('month', 'order_date') }},
                month_start_date, until_month
        ) as last_date
    from {{ ref('int_order_months') }}

),

final as (

    select
        customer_id,
        order_month,
        month_start_date,
        until_month,
        count(*) as order_count,
        sum(case when is_purchase then 1 else 0 end) as purchase_count,
        min(case when is_purchase then order_date end) as first_purchase_date,
        max(case when is_purchase then order_date end) as last_purchase_date,
        max(case when is_purchase and order_date < last_date then order_date end)
            as previous_purchase_date,
        sum(case when is_purchase then unit_count else 0 end) as unit_count,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as net_amount
    from orders
    group by customer_id, order_month, month_start_date, until_month

)

select * from final
