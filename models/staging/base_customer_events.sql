with events as (

    select * from {{ ref('input_customer_events') }}

),

clock as (

    select * from {{ ref('int_as_of_date') }}

),

typed as (

    select
        {{ parse_id('customer_id') }} as customer_id,
        {{ parse_timestamp('event_at') }} as event_at,
        {{ parse_text('event_at') }} as event_at_text,
        lower({{ parse_text('event_type') }}) as event_type,
        cast(source_file as {{ dbt.type_string() }}) as source_file,
        cast(source_line as bigint) as source_line,
        {{ row_as_text('customer_events') }} as source_row,
        cast(reject_reason as {{ dbt.type_string() }}) as reject_reason
    from events

),

ranked as (

    select
        typed.*,
        clock.last_plausible_day,
        row_number() over (
            partition by typed.customer_id, typed.event_at, typed.event_type
            order by
                md5(typed.source_row),
                typed.source_line nulls last,
                typed.source_file nulls last
        ) as occurrence
    from typed
    cross join clock

),

final as (

    select
        *,
        case
            when reject_reason is not null then reject_reason
            when customer_id is null then 'missing_customer_id'
            when not {{ matches('customer_id', input_settings().customer_id_pattern) }}
                then 'malformed_customer_id'
            when event_at_text is null then 'missing_date'
            when event_at is null then 'invalid_date'
            when event_type is null then 'missing_event_type'
            -- events may outlive orders for as long as orders may pause
            when
                {{ dbt.datediff('last_plausible_day', 'event_at', 'day') }}
                > {{ var('max_silent_days') }}
                then 'implausible_future_date'
            when occurrence > 1 then 'duplicate_event'
        end as quarantine_reason
    from ranked

)

select * from final
