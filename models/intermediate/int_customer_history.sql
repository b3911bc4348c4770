-- Customers at the end of every month: as published where the month is kept, else as
-- computed today.
with months as (

    select * from {{ ref('int_history_months') }}

),

customers as (

    select * from {{ ref('int_month_customers') }}

),

rfm as (

    select * from {{ ref('int_month_rfm') }}

),

kept as (

    select * from {{ ref('int_kept_months') }}

),

fresh_rows as (

    select
        customers.customer_id,
        customers.month_end_date,
        customers.recency_days,
        customers.tenure_days,
        customers.frequency,
        customers.monetary,
        customers.rfm_frequency,
        customers.rfm_monetary,
        customers.month_purchase_count,
        customers.month_revenue,
        customers.month_given_back_amount,
        rfm.rfm_model_version,
        rfm.rfm_status,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.rfm_segment,
        rfm.lifecycle_state
    from customers
    inner join rfm
        on customers.customer_id = rfm.customer_id
        and customers.month_end_date = rfm.month_end_date

),

{% set as_published = [
    'recency_days', 'tenure_days', 'frequency', 'monetary', 'rfm_frequency',
    'rfm_monetary', 'month_purchase_count', 'month_revenue', 'month_given_back_amount',
    'rfm_status', 'recency_score', 'frequency_score', 'monetary_score', 'rfm_segment',
    'rfm_model_version', 'lifecycle_state',
] %}
final as (

    select
        months.month_end_date,
        months.is_closed,
        months.is_warm_up,
        {%- for column in as_published %}
        kept.{{ column }},
        {%- endfor %}
        coalesce(fresh_rows.rfm_segment, kept.rfm_segment) as current_rfm_segment,
        '{{ history_policy_hash() }}' as policy_hash,
        kept.customer_id
    from kept
    inner join months
        on kept.month_end_date = months.month_end_date
        and months.is_kept
    left join fresh_rows
        on kept.customer_id = fresh_rows.customer_id
        and kept.month_end_date = fresh_rows.month_end_date
    union all
    select
        months.month_end_date,
        months.is_closed,
        months.is_warm_up,
        {%- for column in as_published %}
        fresh_rows.{{ column }},
        {%- endfor %}
        fresh_rows.rfm_segment as current_rfm_segment,
        '{{ history_policy_hash() }}' as policy_hash,
        fresh_rows.customer_id
    from fresh_rows
    inner join months
        on fresh_rows.month_end_date = months.month_end_date
        and not months.is_kept

)

select * from final
