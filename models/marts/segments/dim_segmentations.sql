-- The decision row of the candidates is the chosen one, or the one without a number of
-- clusters that says why there is none.
with segmentations as (
    {% for name, segmentation in segmentations().items() %}
    select
        '{{ name }}' as segmentation,
        '{{ segmentation.description | replace("'", "''") }}' as description,
        {{ 'true' if name == primary_segmentation() else 'false' }} as is_primary
    union all
    {% endfor %}
    select
        'rfm' as segmentation,
        'Scores of recency, frequency and monetary value, in eleven fixed segments.'
            as description,
        false as is_primary
),

decisions as (

    select * from {{ ref('ml_segmentation_candidates') }}
    where is_chosen or cluster_count is null

),

models as (

    select
        segmentation,
        max(algorithm) as algorithm,
        max(cluster_count) as cluster_count,
        max(model_version) as model_version,
        max(as_of_date) as model_as_of_date
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation

),

assigned as (

    select
        segmentation,
        count(*) as customer_count,
        sum(case when status = 'assigned' then 1 else 0 end) as assigned_customer_count,
        count(distinct segment_id) as segment_count,
        -- of a segmentation by rules alone
        min(case when status <> 'assigned' then status end) as unassigned_status
    from {{ ref('int_customer_segments') }}
    group by segmentation

),

trees as (

    select * from {{ ref('ml_segmentation_trees') }}

),

final as (

    select
        segmentations.segmentation,
        segmentations.description,
        segmentations.is_primary,
        case
            when segmentations.segmentation = 'rfm' then 'rules'
            else coalesce(models.algorithm, decisions.algorithm)
        end as algorithm,
        cast(models.cluster_count as integer) as cluster_count,
        decisions.structure,
        case
            when segmentations.segmentation <> 'rfm' then decisions.status
            when assigned.assigned_customer_count > 0 then 'ok'
            else coalesce(assigned.unassigned_status, 'insufficient_data')
        end as status,
        case
            when segmentations.segmentation = 'rfm'
                then 'by the fixed map of recency and frequency scores'
            else decisions.reason
        end as reason,
        cast(models.model_version as integer) as model_version,
        cast(models.model_as_of_date as date) as model_as_of_date,
        cast(coalesce(assigned.customer_count, 0) as integer) as customer_count,
        cast(coalesce(assigned.assigned_customer_count, 0) as integer)
            as assigned_customer_count,
        cast(coalesce(assigned.segment_count, 0) as integer) as segment_count,
        cast(decisions.stability as double) as stability,
        cast(decisions.silhouette as double) as silhouette,
        trees.tree_sql,
        cast(trees.accuracy as double) as tree_accuracy
    from segmentations
    left join decisions on segmentations.segmentation = decisions.segmentation
    left join models on segmentations.segmentation = models.segmentation
    left join assigned on segmentations.segmentation = assigned.segmentation
    left join trees on segmentations.segmentation = trees.segmentation
    {% if not has('order_lines') %}
    where segmentations.segmentation <> 'rfm'
    {% endif %}

)

select * from final
