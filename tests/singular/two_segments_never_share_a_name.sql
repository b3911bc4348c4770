-- Among the active segments of a segmentation.
with segments as (

    select * from {{ ref('dim_segments') }}
    where status = 'active'

),

final as (

    select
        segmentation,
        lower(segment_name) as segment_name,
        count(*) as segment_count
    from segments
    group by segmentation, lower(segment_name)
    having count(*) > 1

)

select * from final
