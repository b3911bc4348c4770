-- The training facts of a new version: how many of its sample are in each bin of a
-- feature, and how many customers it puts into each segment.
with bins as (

    select * from {{ ref('int_feature_bins') }}

),

drift_values as (

    select sampled.*
    from {{ ref('int_drift_values') }} as sampled
    inner join {{ ref('int_described_versions') }} as versions
        on sampled.segmentation = versions.segmentation
        and sampled.feature = versions.feature

),

{{ bin_counts() }},

versions as (

    select distinct
        segmentation,
        model_version
    from bins

),

segments as (

    select
        assigned.segmentation,
        assigned.model_version,
        assigned.segment_id,
        count(*) as customers
    from {{ ref('int_customer_segments') }} as assigned
    inner join versions
        on assigned.segmentation = versions.segmentation
        and assigned.model_version = versions.model_version
    where assigned.status = 'assigned'
    group by assigned.segmentation, assigned.model_version, assigned.segment_id

),

final as (

    select
        bins.segmentation,
        bins.model_version,
        bins.feature,
        bins.bin_number,
        bins.lower,
        bins.upper,
        bins.level,
        {{ ratio('coalesce(counted.customers, 0)', 'totals.customers', 9) }} as share,
        coalesce(counted.customers, 0) as customers
    from bins
    inner join totals
        on bins.segmentation = totals.segmentation
        and bins.feature = totals.feature
    left join counted
        on bins.segmentation = counted.segmentation
        and bins.feature = counted.feature
        and bins.bin_number = counted.bin_number
    union all
    select
        segmentation,
        model_version,
        'segment' as feature,
        row_number() over (
            partition by segmentation order by segment_id
        ) as bin_number,
        cast(null as double) as lower,
        cast(null as double) as upper,
        segment_id as level,
        {{ ratio(
            'customers', 'sum(customers) over (partition by segmentation)', 9
        ) }} as share,
        customers
    from segments

)

select * from final
