-- How each model has aged, and what to do about it.
{% set limit = var('refit_drift_limit') %}
{% set oldest = var('refit_after_days') %}
with decisions as (

    select * from {{ ref('int_refit_decisions') }}

),

models as (

    select * from {{ ref('int_models_in_force') }}

),

drift as (

    select * from {{ ref('int_feature_drift') }}

),

ranked as (

    select
        *,
        psi > {{ limit }} and psi > psi_by_chance as is_beyond_limit,
        row_number() over (
            partition by segmentation
            order by
                case when psi > psi_by_chance then 0 else 1 end asc,
                psi desc nulls last,
                feature asc
        ) as place
    from drift
    where feature <> 'segment'

),

changes as (

    select * from {{ ref('int_behaviour_changes') }}

),

evidence as (

    select
        segmentation,
        max(reason) as reason
    from {{ ref('ml_segmentation_candidates') }}
    where cluster_count is null
    group by segmentation

),

joined as (

    select
        decisions.segmentation,
        decisions.cause,
        decisions.reason as decision_reason,
        decisions.is_refit as is_decided,
        models.model_version,
        models.algorithm,
        models.as_of_date as model_as_of_date,
        cast(
            {{ dbt.datediff('models.as_of_date', 'clock.as_of_date', 'day') }}
            as integer
        ) as age_days,
        models.training_customers,
        models.changed_by_model_share,
        changes.changed_by_behaviour_share,
        models.version_reason,
        models.version_count,
        models.kept_reason,
        coalesce(models.as_of_date = clock.as_of_date, false) as is_refit,
        worst.feature as worst_feature,
        worst.psi as feature_drift,
        worst.is_beyond_limit,
        worst.largest_movement,
        segments.psi as segment_drift,
        evidence.reason as evidence_reason
    from decisions
    left join models on decisions.segmentation = models.segmentation
    left join ranked as worst
        on decisions.segmentation = worst.segmentation
        and worst.place = 1
    left join drift as segments
        on decisions.segmentation = segments.segmentation
        and segments.feature = 'segment'
    left join evidence on decisions.segmentation = evidence.segmentation
    left join changes on decisions.segmentation = changes.segmentation
    cross join {{ ref('int_as_of_date') }} as clock

),

judged as (

    select
        *,
        case
            when model_version is null then 'no_model'
            when cause = 'past_date' then 'rebuilt'
            when is_beyond_limit then 'drifted'
            {%- if oldest is not none %}
            when age_days > {{ oldest }} then 'too_old'
            {%- endif %}
            when worst_feature is null then 'no_training_facts'
            when feature_drift >= 0.1 or segment_drift >= 0.1 then 'ageing'
            {%- if oldest is not none %}
            when age_days > 0.75 * {{ oldest }} then 'ageing'
            {%- endif %}
            else 'healthy'
        end as status
    from joined

),

final as (

    select
        segmentation,
        cast(model_version as integer) as model_version,
        algorithm,
        status,
        {{ health_reason() }} as status_reason,
        {{ health_advice() }} as what_to_do,
        cast(model_as_of_date as date) as model_as_of_date,
        age_days,
        cast(training_customers as integer) as training_customers,
        worst_feature,
        cast(feature_drift as double) as feature_drift,
        cast(segment_drift as double) as segment_drift,
        is_refit,
        case
            -- without a date a build cannot tell that it is the one that fitted
            when is_refit or (model_version is not null and model_as_of_date is null)
                then coalesce(version_reason, 'not recorded')
            when kept_reason is null or kept_reason = decision_reason
                then decision_reason
            else concat(decision_reason, '; kept all the same: ', kept_reason)
        end as refit_reason,
        cast(coalesce(version_count, 0) as integer) as version_count,
        cast(changed_by_model_share as double) as changed_by_model_share,
        cast(changed_by_behaviour_share as double) as changed_by_behaviour_share
    from judged

)

select * from final
