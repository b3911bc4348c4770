-- Every customer's segment: the nearest one, with the margin to the next as
-- confidence. Who has no purchase, or whom no model speaks about, is in the rule-made
-- segment 0 with the reason.
with distances as (

    select * from {{ ref('int_segment_distances') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, customer_id order by distance, prototype_id
        ) as nearness,
        lead(distance) over (
            partition by segmentation, customer_id order by distance, prototype_id
        ) as next_distance
    from distances

),

nearest as (

    select * from ranked
    where nearness = 1

),

customers as (

    select * from {{ ref('int_customer_rfm') }}

),

segmentations as (

    select distinct segmentation from {{ ref('int_segmentation_settings') }}

),

versions as (

    select
        segmentation,
        max(model_version) as model_version
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation

),

failures as (

    select
        segmentation,
        min(status) as status
    from {{ ref('ml_segmentation_candidates') }}
    where cluster_count is null
    group by segmentation

),

final as (

    select
        segmentations.segmentation,
        customers.customer_id,
        coalesce(nearest.segment_id, concat(segmentations.segmentation, '-0'))
            as segment_id,
        cast(versions.model_version as integer) as model_version,
        nearest.distance,
        round(1 - nearest.distance / nullif(nearest.next_distance, 0), 6) as confidence,
        case
            when nearest.segment_id is not null then 'assigned'
            when customers.frequency = 0 then 'no_purchase'
            else coalesce(failures.status, 'not_fitted')
        end as status
    from customers
    cross join segmentations
    left join nearest
        on segmentations.segmentation = nearest.segmentation
        and customers.customer_id = nearest.customer_id
    left join versions on segmentations.segmentation = versions.segmentation
    left join failures on segmentations.segmentation = failures.segmentation

)

select * from final
