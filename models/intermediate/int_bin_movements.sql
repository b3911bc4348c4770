-- Which share of the sampled customers was in each bin of a feature when the version in
-- force was fitted, and which is there now.
with drift_values as (

    select * from {{ ref('int_drift_values') }}

),

models as (

    select * from {{ ref('int_published_models') }}

),

bins as (

    select registered.*
    from {{ source('registry', 'training_bins') }} as registered
    inner join models
        on registered.segmentation = models.segmentation
        and registered.model_version = models.version_in_force
    where registered.feature <> 'segment'

),

{{ bin_counts() }},

final as (

    select
        bins.segmentation,
        bins.model_version,
        bins.feature,
        bins.bin_number,
        bins.lower,
        bins.upper,
        bins.level,
        bins.customers as customers_then,
        case when totals.customers > 0 then coalesce(counted.customers, 0) end
            as customers_now,
        bins.share as share_then,
        case
            when totals.customers > 0
                then {{ ratio(
                    'coalesce(counted.customers, 0)', 'totals.customers', 9
                ) }}
        end as share_now
    from bins
    left join totals
        on bins.segmentation = totals.segmentation
        and bins.feature = totals.feature
    left join counted
        on bins.segmentation = counted.segmentation
        and bins.feature = counted.feature
        and bins.bin_number = counted.bin_number

)

select * from final
