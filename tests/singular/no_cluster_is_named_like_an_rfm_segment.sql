-- Neither now nor, retired, before.
with segments as (

    select * from {{ ref('dim_segments') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

final as (

    select
        segments.segment_id,
        segments.segment_name
    from segments
    inner join rfm_segments
        on lower(segments.segment_name) = lower(rfm_segments.segment_name)
    where segments.segmentation <> 'rfm'

)

select * from final
