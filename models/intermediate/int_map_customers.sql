-- Who is on the map: of each segment its share of map_sample_size, at least 30
-- customers or all, by hash, so that the same customers are shown in any row order.
with assigned as (

    select * from {{ ref('int_segment_assignments') }}
    where status = 'assigned'

),

segments as (

    select
        segmentation,
        segment_id,
        count(*) as segment_count
    from assigned
    group by segmentation, segment_id

),

places as (

    select
        *,
        greatest(
            30,
            floor(
                {{ var('map_sample_size') }} * segment_count
                / sum(segment_count) over (partition by segmentation)
            )
        ) as place_count
    from segments

),

-- twice as many and a hundred more than there are places, by a threshold of the hash:
-- only they are sorted
thinned as (

    select
        assigned.segmentation,
        assigned.segment_id,
        assigned.customer_id,
        places.place_count,
        {{ hash_fraction('assigned.customer_id') }} as hash_order
    from assigned
    inner join places
        on assigned.segmentation = places.segmentation
        and assigned.segment_id = places.segment_id
    where
        {{ hash_fraction('assigned.customer_id') }} * places.segment_count
        <= 2 * places.place_count + 100

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, segment_id order by hash_order, customer_id
        ) as hash_rank
    from thinned

),

final as (

    select
        segmentation,
        customer_id,
        segment_id
    from ranked
    where hash_rank <= place_count

)

select * from final
