-- Who is on the map: of each segment its share of map_sample_size, at least 30
-- customers or all, by hash, so that the same customers are shown in any row order.
with assigned as (

    select * from {{ ref('int_segment_assignments') }}
    where status = 'assigned'

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, segment_id
            order by {{ hash_fraction('customer_id') }}, customer_id
        ) as hash_rank,
        count(*) over (partition by segmentation, segment_id) as segment_count,
        count(*) over (partition by segmentation) as customer_count
    from assigned

),

final as (

    select
        segmentation,
        customer_id,
        segment_id
    from ranked
    where
        hash_rank <= greatest(
            30, floor({{ var('map_sample_size') }} * segment_count / customer_count)
        )

)

select * from final
