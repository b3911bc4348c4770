-- How a customer came from one month's segment to the next. A customer who would have
-- changed by the new model alone is moved by it; else the month's own purchase or
-- return, else time, is the cause.
with history as (

    select * from {{ ref('int_segment_history') }}

),

months as (

    select * from {{ ref('int_history_months') }}

),

customers as (

    select * from {{ ref('int_customer_history') }}

),

compared as (

    select
        history.*,
        months.is_closed,
        months.is_warm_up,
        months.is_first,
        customers.monetary,
        customers.month_revenue,
        case
            when history.is_kept then history.previous_segment_id
            else earlier.segment_id
        end as from_segment_id,
        case
            when history.is_kept then history.previous_segment_id_by_this_model
            else earlier.current_segment_id
        end as from_segment_id_by_this_model,
        customers.month_purchase_count,
        customers.month_given_back_amount
    from history
    inner join months on history.month_end_date = months.month_end_date
    inner join customers
        on history.customer_id = customers.customer_id
        and history.month_end_date = customers.month_end_date
    left join history as earlier
        on history.customer_id = earlier.customer_id
        and history.segmentation = earlier.segmentation
        and months.previous_month_end_date = earlier.month_end_date

),

final as (

    select
        customer_id,
        segmentation,
        month_end_date,
        is_closed,
        is_warm_up,
        segment_id,
        model_version,
        from_segment_id as previous_segment_id,
        from_segment_id_by_this_model as previous_segment_id_by_this_model,
        case
            when is_kept then movement
            when from_segment_id is null and is_first then 'first_month'
            when from_segment_id is null then 'entered'
            when from_segment_id = segment_id then 'stayed'
            when from_segment_id_by_this_model = segment_id then 'model'
            when month_purchase_count > 0 then 'purchase'
            when month_given_back_amount > 0 then 'return'
            else 'ageing'
        end as movement,
        current_segment_id,
        month_revenue,
        monetary,
        '{{ history_policy_hash() }}' as policy_hash
    from compared

)

select * from final
