-- The shares of each bin then and now, for the versions in force after this build: a
-- new version is held against its own sample, so nothing has moved. Segments are held
-- against the customers whom the version put into them when it was new.
with models as (

    select * from {{ ref('int_models_in_force') }}

),

registered_segments as (

    select
        registered.segmentation,
        registered.level,
        registered.customers,
        registered.share
    from {{ ref('registry_training_bins') }} as registered
    inner join models
        on registered.segmentation = models.segmentation
        and registered.model_version = models.model_version
    where registered.feature = 'segment'

),

known as (

    select distinct segmentation from registered_segments

),

segments_now as (

    select
        assigned.segmentation,
        assigned.segment_id,
        count(*) as customers
    from {{ ref('int_customer_segments') }} as assigned
    inner join known on assigned.segmentation = known.segmentation
    where assigned.status = 'assigned'
    group by assigned.segmentation, assigned.segment_id

),

all_segments as (

    select
        segmentation,
        level
    from registered_segments
    union distinct
    select
        segmentation,
        segment_id as level
    from segments_now

),

segments as (

    select
        all_segments.segmentation,
        all_segments.level,
        coalesce(registered_segments.customers, 0) as customers_then,
        coalesce(segments_now.customers, 0) as customers_now,
        coalesce(registered_segments.share, 0) as share_then,
        {{ ratio(
            'coalesce(segments_now.customers, 0)',
            'sum(segments_now.customers) over (partition by all_segments.segmentation)',
            9
        ) }} as share_now
    from all_segments
    left join registered_segments
        on all_segments.segmentation = registered_segments.segmentation
        and all_segments.level = registered_segments.level
    left join segments_now
        on all_segments.segmentation = segments_now.segmentation
        and all_segments.level = segments_now.segment_id

),

final as (

    select
        movements.segmentation,
        movements.feature,
        movements.bin_number,
        movements.lower,
        movements.upper,
        movements.level,
        movements.customers_then,
        movements.customers_now,
        movements.share_then,
        movements.share_now
    from {{ ref('int_bin_movements') }} as movements
    inner join models
        on movements.segmentation = models.segmentation
        and movements.model_version = models.model_version
    union all
    select
        segmentation,
        feature,
        bin_number,
        lower,
        upper,
        level,
        customers as customers_then,
        customers as customers_now,
        share as share_then,
        share as share_now
    from {{ ref('int_training_bins') }}
    where feature <> 'segment'
    union all
    select
        segmentation,
        'segment' as feature,
        row_number() over (partition by segmentation order by level) as bin_number,
        cast(null as double) as lower,
        cast(null as double) as upper,
        level,
        customers_then,
        customers_now,
        share_then,
        share_now
    from segments

)

select * from final
