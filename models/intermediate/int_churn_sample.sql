-- A bounded sample of customers, the same ones at every snapshot and in any row order:
-- by hash below a threshold, so that no engine sorts all customers.
with hashed as (

    select
        customer_id,
        {{ hash_fraction('customer_id') }} as hash_order
    from {{ ref('int_snapshot_customers') }}
    where snapshot_number = 0

),

sizes as (

    select count(*) as customer_count from hashed

),

sampled as (

    select hashed.customer_id
    from hashed
    cross join sizes
    where
        hashed.hash_order * sizes.customer_count <= {{ var('training_sample_size') }}

),

final as (

    select
        {%- for column in ['monetary', 'later_value'] %}
        cast(customers.{{ column }} as double) as {{ column }},
        {%- endfor %}
        {%- for column in [
            'repeat_count', 'span_days', 'observed_days', 'recency_days', 'frequency',
            'recent_event_count', 'bought_later', 'later_purchase_count',
        ] %}
        customers.{{ column }},
        {%- endfor %}
        {{ valued_days('customers') }} as purchase_day_count,
        {{ purchase_value('customers') }} as purchase_value,
        customers.snapshot_number,
        customers.customer_id
    from {{ ref('int_snapshot_customers') }} as customers
    inner join sampled on customers.customer_id = sampled.customer_id

)

select * from final
