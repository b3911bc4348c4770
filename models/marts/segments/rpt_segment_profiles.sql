with profiles as (

    select * from {{ ref('int_segment_profiles') }}

),

final as (

    select
        segmentation,
        segment_id,
        feature,
        level,
        feature_level,
        feature_label,
        unit,
        cast(segment_customers as integer) as customer_count,
        mean_value,
        median_value,
        mean_of_all,
        median_of_all,
        index_against_all,
        effect_size,
        cast(row_number() over (
            partition by segmentation, segment_id
            order by abs(effect_size) desc nulls last, feature_level asc
        ) as integer) as difference_rank
    from profiles

)

select * from final
