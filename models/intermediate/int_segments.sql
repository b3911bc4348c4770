-- Every segment there is or was, with its name and business text.
with prototypes as (

    select
        segmentation,
        segment_id,
        parent_segment_id,
        model_version,
        algorithm,
        min(prototype_id) as prototype_id
    from {{ ref('ml_segment_prototypes') }}
    where segment_id is distinct from outlier_segment_id
    group by segmentation, segment_id, parent_segment_id, model_version, algorithm
    union all
    select distinct
        segmentation,
        outlier_segment_id as segment_id,
        cast(null as {{ dbt.type_string() }}) as parent_segment_id,
        model_version,
        algorithm,
        cast(null as integer) as prototype_id
    from {{ ref('ml_segment_prototypes') }}
    where outlier_segment_id is not null

),

outliers as (

    select distinct outlier_segment_id as segment_id
    from {{ ref('ml_segment_prototypes') }}
    where outlier_segment_id is not null

),

registered as (

    select
        segmentation,
        segment_id,
        max(model_version) as model_version,
        max_by(parent_segment_id, model_version) as parent_segment_id,
        max_by(segment_name, model_version) as segment_name,
        max_by(persona, model_version) as persona
    from {{ ref('int_registered_prototypes') }}
    group by segmentation, segment_id

),

names as (

    select * from {{ ref('ml_segment_names') }}

),

current_segments as (

    select
        prototypes.segmentation,
        prototypes.segment_id,
        prototypes.parent_segment_id,
        prototypes.model_version,
        case
            when outliers.segment_id is not null then 'Outliers'
            when prototypes.algorithm = 'tertiles'
                then case prototypes.prototype_id
                    when 1 then 'Lower third of the main component'
                    when 2 then 'Middle third of the main component'
                    else 'Upper third of the main component'
                end
            else coalesce(
                names.segment_name, registered.segment_name, prototypes.segment_id
            )
        end as segment_name,
        case
            when outliers.segment_id is not null then 'outliers'
            when prototypes.algorithm = 'tertiles' then 'tertile'
            else coalesce(names.persona, registered.persona, 'unmatched')
        end as persona,
        'active' as status
    from prototypes
    left join names
        on prototypes.segmentation = names.segmentation
        and prototypes.segment_id = names.segment_id
    left join outliers on prototypes.segment_id = outliers.segment_id
    left join registered
        on prototypes.segmentation = registered.segmentation
        and prototypes.segment_id = registered.segment_id

),

retired as (

    select
        registered.segmentation,
        registered.segment_id,
        registered.parent_segment_id,
        registered.model_version,
        registered.segment_name,
        registered.persona,
        'retired' as status
    from registered
    left join prototypes
        on registered.segmentation = prototypes.segmentation
        and registered.segment_id = prototypes.segment_id
    where prototypes.segment_id is null

),

-- for customers whom no model speaks about: too few purchases for it, no model, or no
-- data
labels as (

    select
        segmentation,
        segment_id
    from {{ ref('int_customer_segments') }}
    where status <> 'assigned'
    {% if has('order_lines') %}
    union distinct
    select
        segmentation,
        segment_id
    from {{ ref('int_segment_history') }}
    where
        segment_id like '%-one-time'
        or segment_id like '%-rfm-%'
        or segment_id like '%-0'
    {% endif %}

),

rule_made as (

    select distinct
        assigned.segmentation,
        assigned.segment_id,
        cast(null as {{ dbt.type_string() }}) as parent_segment_id,
        cast(null as integer) as model_version,
        case
            when assigned.segment_id like '%-one-time' then 'One-time buyers'
            when rfm_segments.segment_name is not null
                then concat('RFM: ', rfm_segments.segment_name)
            else 'Not segmented'
        end as segment_name,
        case
            when assigned.segment_id like '%-one-time' then 'one_time_buyers'
            when rfm_segments.segment_name is not null then 'rfm'
            else 'not_segmented'
        end as persona,
        'active' as status
    from labels as assigned
    left join {{ ref('rfm_segments') }} as rfm_segments
        on assigned.segment_id = concat(
            assigned.segmentation, '-rfm-',
            cast(rfm_segments.segment_number as {{ dbt.type_string() }})
        )

),

rfm as (

    select
        'rfm' as segmentation,
        concat('rfm-', cast(segment_number as {{ dbt.type_string() }})) as segment_id,
        cast(null as {{ dbt.type_string() }}) as parent_segment_id,
        cast(null as integer) as model_version,
        segment_name,
        'rfm' as persona,
        'active' as status
    from {{ ref('rfm_segments') }}

),

final as (

    select * from current_segments
    union all
    select * from retired
    union all
    select * from rule_made
    {% if has('order_lines') %}
    union all
    select * from rfm
    {% endif %}
)

select * from final
