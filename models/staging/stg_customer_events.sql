with events as (

    select * from {{ ref('base_customer_events') }}
    where quarantine_reason is null

),

final as (

    select
        customer_id,
        event_type,
        event_at
    from events

)

select * from final
