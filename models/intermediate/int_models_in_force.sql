-- The models in force once this build is published, with how they came about.
with in_force as (

    select distinct
        segmentation,
        model_version,
        status,
        reason
    from {{ ref('ml_segment_prototypes') }}

),

-- a prototype is repeated for each of its features
prototypes as (

    select
        segmentation,
        model_version,
        prototype_id,
        max(algorithm) as algorithm,
        max(as_of_date) as as_of_date,
        max(training_customers) as training_customers,
        max(changed_by_model_share) as changed_by_model_share,
        max(reason) as reason
    from {{ ref('registry_segment_prototypes') }}
    group by segmentation, model_version, prototype_id

),

versions as (

    select
        segmentation,
        model_version,
        max(algorithm) as algorithm,
        max(as_of_date) as as_of_date,
        sum(training_customers) as training_customers,
        max(changed_by_model_share) as changed_by_model_share,
        max(reason) as version_reason,
        count(*) over (partition by segmentation) as version_count
    from prototypes
    group by segmentation, model_version

),
{% if has('order_lines') %}
cut_points as (

    select
        model_version,
        max(as_of_date) as as_of_date,
        max(training_customers) as training_customers,
        max(changed_by_model_share) as changed_by_model_share,
        max(reason) as version_reason
    from {{ ref('registry_rfm_cut_points') }}
    group by model_version

),

cut_point_versions as (

    select count(*) as version_count from cut_points

),

cut_points_in_force as (

    select max(model_version) as model_version from {{ ref('int_rfm_model') }}

),
{% endif %}
final as (

    select
        versions.segmentation,
        versions.model_version,
        versions.algorithm,
        versions.as_of_date,
        versions.training_customers,
        versions.changed_by_model_share,
        versions.version_reason,
        versions.version_count,
        case when in_force.status = 'kept' then in_force.reason end as kept_reason
    from in_force
    inner join versions
        on in_force.segmentation = versions.segmentation
        and in_force.model_version = versions.model_version
    {% if has('order_lines') %}
    union all
    select
        'rfm' as segmentation,
        cut_points.model_version,
        'rules' as algorithm,
        cut_points.as_of_date,
        cut_points.training_customers,
        cut_points.changed_by_model_share,
        cut_points.version_reason,
        cut_point_versions.version_count,
        cast(null as {{ dbt.type_string() }}) as kept_reason
    from cut_points_in_force
    inner join cut_points
        on cut_points_in_force.model_version = cut_points.model_version
    cross join cut_point_versions
    {% endif %}

)

select * from final
