-- The segment of customers in every segmentation at the end of each month that is to be
-- computed, by the models in force: as int_segment_assignments has it for the as-of
-- date.
with customers as (

    select * from {{ ref('int_month_customers') }}

),

rfm as (

    select
        scored.customer_id,
        scored.month_end_date,
        scored.rfm_model_version,
        names.segment_number
    from {{ ref('int_month_rfm') }} as scored
    left join {{ ref('rfm_segments') }} as names
        on scored.rfm_segment = names.segment_name

),

prototypes as (

    select distinct
        segmentation,
        prototype_id,
        segment_id,
        radius,
        outlier_segment_id
    from {{ ref('ml_segment_prototypes') }}

),

nearest as (

    select
        nearest.segmentation,
        nearest.customer_id,
        nearest.month_end_date,
        nearest.distance,
        prototypes.segment_id,
        prototypes.radius,
        prototypes.outlier_segment_id
    from {{ ref('int_month_nearest') }} as nearest
    inner join prototypes
        on nearest.segmentation = prototypes.segmentation
        and nearest.prototype_id = prototypes.prototype_id

),

minimums as (
    {% for name, segmentation in segmentations().items() %}
    select
        '{{ name }}' as segmentation,
        {{ segmentation.get('minimum_purchases', 1) }} as minimum_purchases
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

segmentations as (

    select
        minimums.segmentation,
        minimums.minimum_purchases,
        models.model_version
    from minimums
    inner join {{ ref('int_label_versions') }} as models
        on minimums.segmentation = models.segmentation

),

clusterings as (

    select
        segmentations.segmentation,
        customers.customer_id,
        customers.month_end_date,
        segmentations.model_version,
        {{ assigned_segment(
            'segmentations', 'customers', 'nearest', 'rfm.segment_number'
        ) }} as segment_id
    from customers
    cross join segmentations
    left join nearest
        on segmentations.segmentation = nearest.segmentation
        and customers.customer_id = nearest.customer_id
        and customers.month_end_date = nearest.month_end_date
    left join rfm
        on customers.customer_id = rfm.customer_id
        and customers.month_end_date = rfm.month_end_date

),

final as (

    select
        segmentation,
        customer_id,
        month_end_date,
        cast(model_version as integer) as model_version,
        segment_id
    from clusterings
    union all
    select
        'rfm' as segmentation,
        customer_id,
        month_end_date,
        cast(rfm_model_version as integer) as model_version,
        concat('rfm-', cast(
            coalesce(segment_number, 0) as {{ dbt.type_string() }}
        )) as segment_id
    from rfm

)

select * from final
