-- The bins of the features of a new version: numbers at the deciles of its sample, each
-- edge once however many customers share it; categories by the levels of the model;
-- what is missing in bin 0.
with versions as (

    select * from {{ ref('int_described_versions') }}

),

ranked as (

    select
        drift_values.segmentation,
        drift_values.feature,
        drift_values.number_value,
        row_number() over (
            partition by drift_values.segmentation, drift_values.feature
            order by drift_values.number_value
        ) as place,
        count(*) over (
            partition by drift_values.segmentation, drift_values.feature
        ) as value_count,
        max(drift_values.number_value) over (
            partition by drift_values.segmentation, drift_values.feature
        ) as highest
    from {{ ref('int_drift_values') }} as drift_values
    inner join versions
        on drift_values.segmentation = versions.segmentation
        and drift_values.feature = versions.feature
    where drift_values.number_value is not null

),

deciles as (

    select
        segmentation,
        feature,
        highest,
        floor(10 * (place - 1) / value_count) as decile,
        max(number_value) as edge
    from ranked
    group by segmentation, feature, highest, floor(10 * (place - 1) / value_count)

),

-- the highest value is no edge: nobody of the sample would be above it
starts as (

    select distinct
        segmentation,
        feature,
        edge as lower
    from deciles
    where edge < highest
    union all
    select
        segmentation,
        feature,
        cast(null as double) as lower
    from versions
    where not is_categorical

),

numbers as (

    select
        segmentation,
        feature,
        lower,
        lead(lower) over (
            partition by segmentation, feature order by lower nulls first
        ) as upper,
        row_number() over (
            partition by segmentation, feature order by lower nulls first
        ) as bin_number
    from starts

),

listed as (

    select distinct
        segmentation,
        feature,
        level
    from {{ ref('ml_segment_prototypes') }}
    where level is not null
    union distinct
    select
        segmentation,
        feature,
        '(other)' as level
    from versions
    where is_categorical

),

levels as (

    select
        segmentation,
        feature,
        level,
        row_number() over (
            partition by segmentation, feature order by level
        ) as bin_number
    from listed

),

bins as (

    select
        segmentation,
        feature,
        bin_number,
        lower,
        upper,
        cast(null as {{ dbt.type_string() }}) as level
    from numbers
    union all
    select
        segmentation,
        feature,
        bin_number,
        cast(null as double) as lower,
        cast(null as double) as upper,
        level
    from levels
    union all
    select
        segmentation,
        feature,
        0 as bin_number,
        cast(null as double) as lower,
        cast(null as double) as upper,
        cast(null as {{ dbt.type_string() }}) as level
    from versions

),

final as (

    select
        bins.*,
        versions.model_version
    from bins
    inner join versions
        on bins.segmentation = versions.segmentation
        and bins.feature = versions.feature

)

select * from final
