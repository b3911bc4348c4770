-- The segment of customers at the end of every month: as published where the month is
-- kept, else by the models in force; and what the models in force say of it.
with months as (

    select * from {{ ref('int_history_months') }}

),

labels as (

    select * from {{ ref('int_month_labels') }}

),

kept as (

    select kept.*
    from {{ ref('int_kept_labels') }} as kept
    inner join months
        on kept.month_end_date = months.month_end_date
        and months.is_closed

),

kept_segmentations as (

    select distinct
        segmentation,
        month_end_date
    from kept

),

final as (

    select
        kept.customer_id,
        kept.segmentation,
        kept.month_end_date,
        kept.segment_id,
        kept.model_version,
        kept.previous_segment_id,
        kept.previous_segment_id_by_this_model,
        kept.movement,
        coalesce(labels.segment_id, kept.segment_id) as current_segment_id,
        true as is_kept
    from kept
    left join labels
        on kept.segmentation = labels.segmentation
        and kept.customer_id = labels.customer_id
        and kept.month_end_date = labels.month_end_date
    union all
    select
        labels.customer_id,
        labels.segmentation,
        labels.month_end_date,
        labels.segment_id,
        labels.model_version,
        cast(null as {{ dbt.type_string() }}) as previous_segment_id,
        cast(null as {{ dbt.type_string() }}) as previous_segment_id_by_this_model,
        cast(null as {{ dbt.type_string() }}) as movement,
        labels.segment_id as current_segment_id,
        false as is_kept
    from labels
    left join kept_segmentations
        on labels.segmentation = kept_segmentations.segmentation
        and labels.month_end_date = kept_segmentations.month_end_date
    where kept_segmentations.month_end_date is null

)

select * from final
