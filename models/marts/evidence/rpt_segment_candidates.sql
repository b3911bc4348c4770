with candidates as (

    select * from {{ ref('ml_segmentation_candidates') }}

),

final as (

    select
        segmentation,
        algorithm,
        cast(coalesce(cluster_count, 0) as integer) as cluster_count,
        cast(inertia as double) as inertia,
        cast(silhouette as double) as silhouette,
        cast(smallest_share as double) as smallest_share,
        cast(largest_share as double) as largest_share,
        is_elbow,
        is_chosen,
        status,
        reason
    from candidates

)

select * from final
