-- What each level of a categorical feature adds to the squared distance from a
-- prototype, against being at none of the levels: a one-hot column is 1 or 0, prepared
-- like any other.
with levels as (

    select
        segmentation,
        prototype_id,
        feature,
        level,
        fill_level,
        power({{ rounded('(1 - centring) / scale', 9) }} - centre, 2) as when_at,
        power({{ rounded('(0 - centring) / scale', 9) }} - centre, 2) as when_not_at
    from {{ ref('ml_segment_prototypes') }}
    where level is not null

),

final as (

    select
        segmentation,
        prototype_id,
        feature,
        level,
        fill_level,
        cast(when_at - when_not_at as decimal(24, 12)) as extra_distance,
        sum(cast(when_not_at as decimal(24, 12))) over (
            partition by segmentation, prototype_id, feature
        ) as base_distance
    from levels

)

select * from final
