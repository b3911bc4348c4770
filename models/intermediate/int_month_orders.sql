-- What a customer had ordered by the end of each month that is to be computed, as was
-- known then.
with months as (

    select * from {{ ref('int_history_months') }}
    where is_computed

),

known as (

    select
        months.month_end_date,
        cells.*,
        cells.order_month = months.month_start_date as is_of_month,
        {{ is_in_rfm_window('cells.order_month', 'months.next_month_start') }}
            as is_in_window,
        max(cells.last_purchase_date) over (
            partition by cells.customer_id, months.month_end_date
        ) as last_date
    from {{ ref('int_order_cells') }} as cells
    inner join months
        on cells.month_start_date <= months.month_start_date
        and cells.until_month > months.month_start_date

),

final as (

    select
        customer_id,
        month_end_date,
        sum(order_count) as order_count,
        sum(purchase_count) as frequency,
        sum(case when is_in_window then purchase_count else 0 end) as rfm_frequency,
        sum(case when is_of_month then purchase_count else 0 end)
            as month_purchase_count,
        count(distinct case when purchase_count > 0 then order_month end)
            as active_months,
        min(first_purchase_date) as first_purchase_date,
        max(last_purchase_date) as last_purchase_date,
        max(
            case
                when last_purchase_date < last_date then last_purchase_date
                else previous_purchase_date
            end
        ) as previous_purchase_date,
        sum(unit_count) as unit_count,
        {{ money('sum(gross_amount)') }} as gross_amount,
        {{ money('sum(discount_amount)') }} as discount_amount,
        {{ money('sum(net_amount)') }} as order_net_amount,
        {{ money('sum(case when is_in_window then net_amount else 0 end)') }}
            as rfm_order_net_amount
    from known
    group by customer_id, month_end_date

)

select * from final
