-- Every customer's segment: the nearest one, with the margin to the next as
-- confidence; beyond the model's radius, its segment of outliers. Who has too few
-- purchases for a segmentation is in a rule-made segment. Where there is no model, the
-- RFM segments stand in for it, and who has none is in segment 0, with the reason.
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

rfm as (

    select
        scored.customer_id,
        names.segment_number
    from {{ ref('int_rfm_segments') }} as scored
    inner join {{ ref('rfm_segments') }} as names
        on scored.rfm_segment = names.segment_name

),

segmentations as (
    {% for name, segmentation in segmentations().items() %}
    select
        '{{ name }}' as segmentation,
        {{ segmentation.get('minimum_purchases', 1 if has('order_lines') else 0) }}
            as minimum_purchases
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

models as (

    select
        segmentation,
        max(model_version) as model_version,
        max(radius) as radius,
        max(outlier_segment_id) as outlier_segment_id
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

judged as (

    select
        segmentations.segmentation,
        customers.customer_id,
        cast(models.model_version as integer) as model_version,
        models.outlier_segment_id,
        rfm.segment_number as rfm_number,
        nearest.segment_id,
        nearest.distance,
        nearest.next_distance,
        case
            when coalesce(customers.frequency, 0) < segmentations.minimum_purchases
                then case
                    when customers.frequency > 0 then 'too_few_purchases'
                    else 'no_purchase'
                end
            when nearest.segment_id is null then coalesce(failures.status, 'not_fitted')
            when nearest.distance > models.radius then 'outlier'
            else 'assigned'
        end as status
    from customers
    cross join segmentations
    left join nearest
        on segmentations.segmentation = nearest.segmentation
        and customers.customer_id = nearest.customer_id
    left join models on segmentations.segmentation = models.segmentation
    left join failures on segmentations.segmentation = failures.segmentation
    left join rfm on customers.customer_id = rfm.customer_id

),

final as (

    select
        segmentation,
        customer_id,
        case
            when status = 'assigned' then segment_id
            when status = 'outlier' then outlier_segment_id
            when status = 'too_few_purchases' then concat(segmentation, '-one-time')
            when rfm_number is not null
                then concat(
                    segmentation, '-rfm-', cast(rfm_number as {{ dbt.type_string() }})
                )
            else concat(segmentation, '-0')
        end as segment_id,
        model_version,
        case when status in ('assigned', 'outlier') then distance end as distance,
        case
            when status = 'assigned'
                then {{ rounded('1 - distance / nullif(next_distance, 0)', 6) }}
        end as confidence,
        case when status = 'outlier' then 'assigned' else status end as status
    from judged

)

select * from final
