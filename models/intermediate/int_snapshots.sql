-- The dates that customers are described at: 0 is the as-of date. The others lie whole
-- churn horizons before it, so that what was bought in the horizon after each is
-- known: 1 judges the models, 2 to 4 train them. Each needs half a horizon of orders
-- before it.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

horizon as (

    select * from {{ ref('int_churn_horizon') }}

),

first_days as (

    select min(purchase_date) as first_date from {{ ref('int_purchase_days') }}

),

numbers as (
    {% for number in range(5) %}
    select {{ number }} as snapshot_number
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

dated as (

    select
        numbers.snapshot_number,
        cast(
            {{ dbt.dateadd(
                'day', '-numbers.snapshot_number * horizon.churn_horizon_days',
                'clock.as_of_date'
            ) }} as date
        ) as horizons_before,
        clock.as_of_date,
        horizon.churn_horizon_days,
        first_days.first_date
    from numbers
    cross join clock
    cross join horizon
    cross join first_days

),

final as (

    select
        snapshot_number,
        case when snapshot_number = 0 then as_of_date else horizons_before end
            as snapshot_date,
        churn_horizon_days
    from dated
    where
        snapshot_number = 0
        or churn_horizon_days > 0
        and 2 * {{ dbt.datediff('first_date', 'horizons_before', 'day') }}
        >= churn_horizon_days

)

select * from final
