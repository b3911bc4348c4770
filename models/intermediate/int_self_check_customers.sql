-- Which customers the filters of the self-check keep. A handful of groups, so that
-- whatever is counted is counted once and not once for each filter.
with filters as (

    select
        max(segment_id) as segment_id,
        max(country) as country
    from {{ ref('int_self_check_filters') }}

),

final as (

    select
        customers.customer_id,
        assigned.customer_id is not null as is_in_segment,
        coalesce(records.country = filters.country, false) as is_in_country
    from {{ ref('int_customer_rfm') }} as customers
    cross join filters
    left join {{ ref('stg_customers') }} as records
        on customers.customer_id = records.customer_id
    left join {{ ref('int_customer_segments') }} as assigned
        on customers.customer_id = assigned.customer_id
        and filters.segment_id = assigned.segment_id

)

select * from final
