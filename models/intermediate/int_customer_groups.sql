-- The groups that every customer with a purchase belongs to, segments apart: all, and
-- where the input knows any, the country and the channel of acquisition.
with customers as (

    select distinct customer_id from {{ ref('int_purchase_days') }}

),

records as (

    select * from {{ ref('stg_customers') }}

),

described as (

    select
        customers.customer_id,
        records.acquisition_channel,
        records.country
    from customers
    left join records on customers.customer_id = records.customer_id

),

known as (

    select
        count(acquisition_channel) as acquisition_channel_count,
        count(country) as country_count
    from described

),

final as (

    select
        customer_id,
        'all' as group_kind,
        'all' as group_name
    from described
    {%- for kind in ['acquisition_channel', 'country'] %}
    union all
    select
        described.customer_id,
        '{{ kind }}' as group_kind,
        coalesce(described.{{ kind }}, 'unknown') as group_name
    from described
    cross join known
    where known.{{ kind }}_count > 0
    {%- endfor %}

)

select * from final
