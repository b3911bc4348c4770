-- The versions that this build makes: in force now, and not in the registry yet.
with prototypes as (

    select * from {{ ref('ml_segment_prototypes') }}

),

versions as (

    select
        segmentation,
        feature,
        max(model_version) as model_version,
        max(case when level is not null then 1 else 0 end) = 1 as is_categorical
    from prototypes
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

known as (

    select distinct
        segmentation,
        model_version
    from {{ ref('int_registered_prototypes') }}
    {% if has('order_lines') %}
    union all
    select distinct
        'rfm' as segmentation,
        model_version
    from {{ source('registry', 'rfm_cut_points') }}
    {% endif %}

),

final as (

    select versions.*
    from versions
    left join known
        on versions.segmentation = known.segmentation
        and versions.model_version = known.model_version
    where known.segmentation is null and versions.model_version is not null

)

select * from final
