-- The last order day that follows another within max_silent_days: one row dated 2091
-- must not move the clock.
with order_days as (

    select distinct ordered_on
    from {{ ref('base_order_lines_judged') }}
    where quarantine_reason is null

),

followed as (

    select
        ordered_on,
        lag(ordered_on) over (order by ordered_on) as previous_ordered_on
    from order_days

),

final as (

    select max(ordered_on) as last_plausible_day
    from followed
    where
        previous_ordered_on is null
        or {{ dbt.datediff('previous_ordered_on', 'ordered_on', 'day') }}
        <= {{ var('max_silent_days') }}

)

select * from final
