with drift as (

    select * from {{ ref('int_feature_drift') }}

),

models as (

    select * from {{ ref('int_models_in_force') }}

),

labels as (

    select * from {{ ref('features') }}

),

final as (

    select
        drift.segmentation,
        drift.feature,
        coalesce(labels.feature_label, replace(drift.feature, '_', ' '))
            as feature_label,
        cast(models.model_version as integer) as model_version,
        cast(drift.psi as double) as psi,
        cast(drift.psi_by_chance as double) as psi_by_chance,
        case
            when drift.psi is null then 'unknown'
            when drift.psi < 0.1 then 'stable'
            when drift.psi < 0.25 then 'moderate'
            else 'large'
        end as status,
        cast(drift.bin_count as integer) as bin_count,
        cast(drift.customers_then as integer) as customers_then,
        cast(drift.customers_now as integer) as customers_now,
        cast(drift.missing_share_then as double) as missing_share_then,
        cast(drift.missing_share_now as double) as missing_share_now,
        drift.largest_movement
    from drift
    inner join models on drift.segmentation = models.segmentation
    left join labels on drift.feature = labels.feature

)

select * from final
