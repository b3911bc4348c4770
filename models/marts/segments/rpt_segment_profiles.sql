with profiles as (

    select * from {{ ref('int_segment_profiles') }}

),

final as (

    select
        segmentation,
        segment_id,
        feature,
        feature_label,
        unit,
        cast(segment_customers as integer) as customer_count,
        mean_value,
        median_value,
        mean_of_all,
        median_of_all,
        index_against_all,
        cast(row_number() over (
            partition by segmentation, segment_id
            order by
                abs(ln(nullif(greatest(index_against_all, 0), 0))) desc nulls last,
                feature
        ) as integer) as difference_rank
    from profiles

)

select * from final
