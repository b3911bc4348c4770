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
        cast(davies_bouldin as double) as davies_bouldin,
        cast(calinski_harabasz as double) as calinski_harabasz,
        cast(stability as double) as stability,
        cast(stability_error as double) as stability_error,
        cast(separation as double) as separation,
        cast(smallest_share as double) as smallest_share,
        cast(largest_share as double) as largest_share,
        cast(noise_share as double) as noise_share,
        cast(label_agreement as double) as label_agreement,
        cast(period_persistence as double) as period_persistence,
        structure,
        is_elbow,
        is_usable,
        is_chosen,
        status,
        reason
    from candidates

)

select * from final
