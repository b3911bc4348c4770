-- What became of each feature in the fit, and how much of its variance lies between
-- the segments: eta squared, from sums of squares.
with features as (

    select * from {{ ref('ml_segmentation_features') }}

),

labels as (

    select * from {{ ref('features') }}

),

profiles as (

    select * from {{ ref('int_segment_profiles') }}

),

squares as (

    select
        segmentation,
        feature,
        sum(cast(
            segment_customers * power(mean_value - mean_of_all, 2) as decimal(38, 6)
        )) as between_segments,
        sum(cast(
            spread + segment_customers * power(mean_value - mean_of_all, 2)
            as decimal(38, 6)
        )) as in_all
    from profiles
    group by segmentation, feature

),

final as (

    select
        squares.segmentation,
        squares.feature,
        coalesce(labels.feature_label, replace(squares.feature, '_', ' '))
            as feature_label,
        coalesce(features.status, 'profile_only') as status,
        coalesce(features.note, 'not part of the fit') as note,
        cast(features.missing_count as integer) as missing_count,
        cast(features.clipped_count as integer) as clipped_count,
        cast(features.distinct_count as integer) as distinct_count,
        {{ ratio('squares.between_segments', 'squares.in_all') }} as eta_squared,
        case
            when {{ ratio('squares.between_segments', 'squares.in_all') }} > 0.9
                then concat('this segmentation is mostly ', squares.feature)
        end as warning
    from squares
    left join features
        on squares.segmentation = features.segmentation
        and squares.feature = features.feature
    left join labels on squares.feature = labels.feature
    where squares.segmentation <> 'rfm'

)

select * from final
