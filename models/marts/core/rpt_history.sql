-- The months there are, and what has arrived for them since they were closed.
with months as (

    select * from {{ ref('int_history_months') }}

),

published as (

    select
        month_end_date,
        count(*) as customer_count,
        sum(month_purchase_count) as purchase_count,
        {{ money('sum(month_revenue)') }} as revenue,
        max(rfm_model_version) as rfm_model_version
    from {{ ref('int_customer_history') }}
    group by month_end_date

),

today_orders as (

    select
        month_start_date,
        sum(purchase_count) as purchase_count
    from {{ ref('int_order_cells') }}
    where month_start_date = order_month
    group by month_start_date

),

first_orders as (

    select
        customer_id,
        min(month_start_date) as first_month
    from {{ ref('int_order_cells') }}
    group by customer_id

),

-- a customer's months begin with the first order
today_revenue as (

    select
        movements.month_start_date,
        sum(movements.revenue) as revenue
    from {{ ref('int_month_movements') }} as movements
    inner join first_orders
        on movements.customer_id = first_orders.customer_id
        and movements.month_start_date >= first_orders.first_month
    group by movements.month_start_date

),

final as (

    select
        months.month_end_date,
        months.is_closed,
        months.is_warm_up,
        cast(published.rfm_model_version as integer) as rfm_model_version,
        cast(published.customer_count as integer) as customer_count,
        cast(published.purchase_count as integer) as purchase_count,
        published.revenue,
        cast(
            coalesce(today_orders.purchase_count, 0) - published.purchase_count
            as integer
        ) as late_purchase_count,
        {{ money('coalesce(today_revenue.revenue, 0) - published.revenue') }}
            as late_revenue
    from months
    inner join published on months.month_end_date = published.month_end_date
    left join today_orders on months.month_start_date = today_orders.month_start_date
    left join today_revenue on months.month_start_date = today_revenue.month_start_date

)

select * from final
