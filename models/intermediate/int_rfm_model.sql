-- The cut points in force, with their version: those of today, a new version if they
-- differ from the last published; for a date before that one, what was in force then.
with fresh as (

    select
        cut_points.score,
        cut_points.maximum_recency_days,
        cut_points.minimum_frequency,
        cut_points.minimum_monetary,
        horizon.churn_horizon_days,
        cut_points.training_customers,
        clock.as_of_date
    from {{ ref('int_rfm_cut_points') }} as cut_points
    cross join {{ ref('int_churn_horizon') }} as horizon
    cross join {{ ref('int_as_of_date') }} as clock

),

registered as (

    select * from {{ source('registry', 'rfm_cut_points') }}

),

versions as (

    select
        max(registered.model_version) as latest_version,
        max(registered.as_of_date) > max(clock.as_of_date) as is_past_date,
        coalesce(
            max(case
                when registered.as_of_date <= clock.as_of_date
                    then registered.model_version
            end),
            min(registered.model_version)
        ) as version_then
    from registered
    cross join {{ ref('int_as_of_date') }} as clock

),

unchanged as (

    select count(*) = 4 as is_unchanged
    from fresh
    inner join registered
        on fresh.score = registered.score
        and fresh.maximum_recency_days
        is not distinct from registered.maximum_recency_days
        and fresh.minimum_frequency is not distinct from registered.minimum_frequency
        and fresh.minimum_monetary is not distinct from registered.minimum_monetary
        and fresh.churn_horizon_days is not distinct from registered.churn_horizon_days
    inner join versions on registered.model_version = versions.latest_version

),

in_force as (

    select
        registered.model_version,
        registered.as_of_date,
        registered.score,
        registered.maximum_recency_days,
        registered.minimum_frequency,
        registered.minimum_monetary,
        registered.churn_horizon_days,
        registered.training_customers
    from registered
    inner join versions on registered.model_version = versions.version_then
    cross join unchanged
    where versions.is_past_date or unchanged.is_unchanged

),

final as (

    select * from in_force
    union all
    select
        cast(coalesce(versions.latest_version, 0) + 1 as integer) as model_version,
        fresh.as_of_date,
        cast(fresh.score as integer) as score,
        fresh.maximum_recency_days,
        fresh.minimum_frequency,
        fresh.minimum_monetary,
        fresh.churn_horizon_days,
        cast(fresh.training_customers as integer) as training_customers
    from fresh
    cross join versions
    cross join unchanged
    where not coalesce(versions.is_past_date, false) and not unchanged.is_unchanged

)

select * from final
