-- Each segment's customers by each feature, against all customers of the segmentation.
-- Sums are of decimals, so that no order of rows shows in them.
with long_features as (

    select
        *,
        cast(feature_value as decimal(24, 6)) as exact_value,
        cast(feature_value * feature_value as decimal(38, 6)) as exact_square
    from {{ ref('int_long_features') }}

),

assigned as (

    select * from {{ ref('int_customer_segments') }}
    where status = 'assigned'

),

labels as (

    select * from {{ ref('features') }}

),

by_segment as (

    select
        assigned.segmentation,
        assigned.segment_id,
        long_features.feature,
        long_features.level,
        count(*) as segment_customers,
        cast(sum(long_features.exact_value) as double) as total,
        cast(sum(long_features.exact_square) as double) as squares,
        {{ rounded(
            'percentile_cont(0.5) within group (order by long_features.feature_value)', 6
        ) }} as median_value
    from assigned
    inner join long_features on assigned.customer_id = long_features.customer_id
    group by
        assigned.segmentation, assigned.segment_id, long_features.feature,
        long_features.level

),

overall as (

    select
        assigned.segmentation,
        long_features.feature,
        long_features.level,
        count(*) as customers_of_all,
        cast(sum(long_features.exact_value) as double) as total_of_all,
        cast(sum(long_features.exact_square) as double) as squares_of_all,
        {{ rounded(
            'percentile_cont(0.5) within group (order by long_features.feature_value)', 6
        ) }} as median_of_all
    from assigned
    inner join long_features on assigned.customer_id = long_features.customer_id
    group by assigned.segmentation, long_features.feature, long_features.level

),

compared as (

    select
        by_segment.segmentation,
        by_segment.segment_id,
        by_segment.feature,
        by_segment.level,
        by_segment.segment_customers,
        by_segment.median_value,
        overall.median_of_all,
        by_segment.total / by_segment.segment_customers as mean_value,
        overall.total_of_all / overall.customers_of_all as mean_of_all,
        (overall.total_of_all - by_segment.total)
        / nullif(overall.customers_of_all - by_segment.segment_customers, 0)
            as mean_of_rest,
        -- sums of squares within the segment and within the rest
        by_segment.squares - by_segment.total * by_segment.total
        / by_segment.segment_customers as spread,
        overall.squares_of_all - by_segment.squares
        - power(overall.total_of_all - by_segment.total, 2)
        / nullif(overall.customers_of_all - by_segment.segment_customers, 0)
            as spread_of_rest,
        overall.customers_of_all
    from by_segment
    inner join overall
        on by_segment.segmentation = overall.segmentation
        and by_segment.feature = overall.feature
        and by_segment.level is not distinct from overall.level

),

pooled as (

    select
        *,
        mean_value - mean_of_rest as gap,
        sqrt(greatest(
            (spread + spread_of_rest) / nullif(customers_of_all - 2, 0), 0
        )) as pooled_deviation
    from compared

),

final as (

    select
        compared.segmentation,
        compared.segment_id,
        compared.feature,
        compared.level,
        case
            when compared.level is null then compared.feature
            else concat(compared.feature, '=', compared.level)
        end as feature_level,
        coalesce(labels.feature_label, replace(compared.feature, '_', ' '))
            as feature_label,
        case
            when compared.level is not null then 'share'
            else coalesce(labels.unit, 'number')
        end as unit,
        compared.segment_customers,
        {{ rounded('compared.mean_value', 6) }} as mean_value,
        case when compared.level is null then compared.median_value end as median_value,
        {{ rounded('compared.mean_of_all', 6) }} as mean_of_all,
        case when compared.level is null then compared.median_of_all end
            as median_of_all,
        compared.spread,
        {{ ratio('compared.mean_value', 'compared.mean_of_all') }}
            as index_against_all,
        -- Cohen's d of the segment against the rest, with the pooled deviation
        {{ ratio('compared.gap', 'compared.pooled_deviation') }} as effect_size
    from pooled as compared
    left join labels on compared.feature = labels.feature

)

select * from final
