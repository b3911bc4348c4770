{{ config(group='segmentation', severity='warn') }}

-- Typing errors that happen to lie close together, two rows dated 2091 a week apart,
-- would pass for a shop that opened again. Look at the last order days; the var
-- as_of_date sets the clock by hand.
with order_days as (

    select distinct ordered_on
    from {{ ref('base_order_lines_judged') }}
    where quarantine_reason is null

),

paused as (

    select
        ordered_on,
        lag(ordered_on) over (order by ordered_on) as previous_ordered_on
    from order_days

),

last_pause as (

    select max(ordered_on) as resumed_on
    from paused
    where
        {{ dbt.datediff('previous_ordered_on', 'ordered_on', 'day') }}
        > {{ var('max_silent_days') }}

),

final as (

    select
        last_pause.resumed_on,
        count(*) as order_day_count
    from last_pause
    inner join order_days on last_pause.resumed_on <= order_days.ordered_on
    cross join {{ ref('base_last_plausible_day') }} as clock
    where
        last_pause.resumed_on <= clock.last_plausible_day
        and order_days.ordered_on <= clock.last_plausible_day
    group by last_pause.resumed_on
    having count(*) < 10

)

select * from final
