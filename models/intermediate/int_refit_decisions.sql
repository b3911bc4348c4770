-- Whether this build fits a model anew, and why, before anything is fitted: by the
-- policy, what is published, the configuration, drift and age.
{#- a date that is rebuilt goes by what was published -#}
{% set policy = 'never' if var('rebuild_into') else var('refit_policy') %}
with models as (
    {% for name in segmentations() %}
    select
        '{{ name }}' as segmentation,
        '{{ segmentation_hash(name) }}' as configuration_hash
    {{ 'union all' if has('order_lines') or not loop.last }}
    {% endfor %}
    {% if has('order_lines') %}
    select
        'rfm' as segmentation,
        '{{ rfm_hash() }}' as configuration_hash
    {% endif %}
),

published as (

    select * from {{ ref('int_published_models') }}

),

features as (

    select
        segmentation,
        feature,
        cast(sum({{ stability_term('share_now', 'share_then') }}) as double) as drift,
        {{ stability_by_chance(
            'sum(case when customers_then + customers_now > 0 then 1 else 0 end)',
            'nullif(sum(customers_now), 0)', 'nullif(sum(customers_then), 0)',
        ) }} as drift_by_chance
    from {{ ref('int_bin_movements') }}
    group by segmentation, feature

),

ranked as (

    select
        segmentation,
        feature,
        {{ rounded('drift', 6) }} as drift,
        drift > {{ var('refit_drift_limit') }} and drift > drift_by_chance
            as is_beyond_limit,
        row_number() over (
            partition by segmentation
            order by
                case when drift > drift_by_chance then 0 else 1 end asc,
                drift desc nulls last,
                feature asc
        ) as place
    from features

),

judged as (

    select
        models.segmentation,
        models.configuration_hash,
        published.latest_version,
        published.version_in_force,
        published.age_days,
        worst.feature as worst_feature,
        worst.drift,
        case
            when published.latest_version is null then 'no_model'
            when worst.feature is null then 'no_training_facts'
            when worst.drift is null then 'no_customers'
            else 'known'
        end as drift_status,
        case
            when published.is_past_date then 'past_date'
            when '{{ policy }}' = 'never' then 'never'
            when published.latest_version is null then 'first'
            -- of a version of an earlier release it is not known
            when published.configuration_hash <> models.configuration_hash
                then 'configuration'
            when '{{ policy }}' = 'always' then 'always'
            when worst.is_beyond_limit then 'drift'
            {%- if var('refit_after_days') is not none %}
            when published.age_days > {{ var('refit_after_days') }} then 'age'
            {%- endif %}
            else 'holds'
        end as cause
    from models
    left join published on models.segmentation = published.segmentation
    left join ranked as worst
        on models.segmentation = worst.segmentation
        and worst.place = 1

),

final as (

    select
        segmentation,
        configuration_hash,
        latest_version,
        version_in_force,
        cause in ('first', 'configuration', 'always', 'drift', 'age') as is_refit,
        cause,
        {{ refit_reason() }} as reason,
        age_days,
        worst_feature,
        drift,
        drift_status
    from judged

)

select * from final
