-- The cut points in force, with their version: the published ones, or where they are to
-- be taken anew (int_refit_decisions) those of today, a new version if they differ.
with decisions as (

    select * from {{ ref('int_refit_decisions') }}
    where segmentation = 'rfm'

),

fresh as (

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
    inner join decisions on registered.model_version = decisions.latest_version

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
        registered.training_customers,
        registered.configuration_hash,
        registered.reason
    from registered
    inner join decisions on registered.model_version = decisions.version_in_force
    cross join unchanged
    where not decisions.is_refit or unchanged.is_unchanged

),

final as (

    select * from in_force
    union all
    select
        cast(coalesce(decisions.latest_version, 0) + 1 as integer) as model_version,
        fresh.as_of_date,
        cast(fresh.score as integer) as score,
        fresh.maximum_recency_days,
        fresh.minimum_frequency,
        fresh.minimum_monetary,
        fresh.churn_horizon_days,
        cast(fresh.training_customers as integer) as training_customers,
        decisions.configuration_hash,
        decisions.reason
    from fresh
    cross join decisions
    cross join unchanged
    where decisions.is_refit and not unchanged.is_unchanged

)

select * from final
