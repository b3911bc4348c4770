-- The versions whose training facts this build can give: those that it makes, and one
-- of an earlier release that a fit gives again, as its sample is then that of today.
with versions as (

    select
        segmentation,
        feature,
        max(model_version) as model_version,
        max(case when level is not null then 1 else 0 end) = 1 as is_categorical
    from {{ ref('ml_segment_prototypes') }}
    where status <> 'kept'
    group by segmentation, feature
    {% if has('order_lines') %}
    {% for feature in ['recency_days', 'frequency', 'monetary'] %}
    union all
    select
        'rfm' as segmentation,
        '{{ feature }}' as feature,
        max(model_version) as model_version,
        false as is_categorical
    from {{ ref('int_rfm_model') }}
    {% endfor %}
    {% endif %}

),

decisions as (

    select * from {{ ref('int_refit_decisions') }}
    where is_refit

),

known as (

    select distinct
        segmentation,
        model_version
    from {{ source('registry', 'training_bins') }}

),

final as (

    select versions.*
    from versions
    inner join decisions on versions.segmentation = decisions.segmentation
    left join known
        on versions.segmentation = known.segmentation
        and versions.model_version = known.model_version
    where known.segmentation is null and versions.model_version is not null

)

select * from final
