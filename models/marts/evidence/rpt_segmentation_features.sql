-- What became of each feature in the fit; how much of its variance lies between the
-- segments (eta squared, from sums of squares over all customers); and what it
-- contributes to the segmentation: its part of the sum of squares between the
-- prototypes, in prepared units, which is what the clustering sees.
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

weighted as (

    select
        segmentation,
        feature,
        level,
        training_customers,
        centre,
        sum(cast(training_customers * centre as decimal(24, 6))) over (
            partition by segmentation, feature, level
        ) / sum(training_customers) over (partition by segmentation, feature, level)
            as mean_centre
    from {{ ref('ml_segment_prototypes') }}

),

between_prototypes as (

    select
        segmentation,
        feature,
        sum(cast(
            training_customers * power(centre - mean_centre, 2) as decimal(24, 6)
        )) as between_centres
    from weighted
    group by segmentation, feature

),

contributions as (

    select
        segmentation,
        feature,
        {{ ratio(
            'between_centres', 'sum(between_centres) over (partition by segmentation)'
        ) }} as contribution
    from between_prototypes

),

spine as (

    select
        segmentation,
        feature
    from features
    union distinct
    select
        segmentation,
        feature
    from squares
    where segmentation <> 'rfm'

),

final as (

    select
        spine.segmentation,
        spine.feature,
        coalesce(labels.feature_label, replace(spine.feature, '_', ' '))
            as feature_label,
        coalesce(features.status, 'profile_only') as status,
        coalesce(features.note, 'not part of the fit') as note,
        cast(features.missing_count as integer) as missing_count,
        cast(features.clipped_count as integer) as clipped_count,
        cast(features.distinct_count as integer) as distinct_count,
        {{ ratio('squares.between_segments', 'squares.in_all') }} as eta_squared,
        coalesce(contributions.contribution, 0) as contribution,
        case
            when {{ ratio('squares.between_segments', 'squares.in_all') }} > 0.9
                then concat('this segmentation is mostly ', spine.feature)
        end as warning
    from spine
    left join squares
        on spine.segmentation = squares.segmentation
        and spine.feature = squares.feature
    left join features
        on spine.segmentation = features.segmentation
        and spine.feature = features.feature
    left join contributions
        on spine.segmentation = contributions.segmentation
        and spine.feature = contributions.feature
    left join labels on spine.feature = labels.feature

)

select * from final
