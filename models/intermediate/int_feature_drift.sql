-- The population stability index of each feature: sum (p - q) ln(p / q) over its bins,
-- with the shares p of now and q of the training sample (Siddiqi 2006).
with movements as (

    select
        *,
        {{ stability_term('share_now', 'share_then') }} as term
    from {{ ref('int_drift_movements') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, feature
            order by term desc nulls last, bin_number asc
        ) as place,
        case
            when level is not null then level
            when bin_number = 0 then 'missing'
            when lower is null and upper is null then 'any number'
            when lower is null then concat('up to ', {{ number_in_words('upper') }})
            when upper is null then concat('above ', {{ number_in_words('lower') }})
            else concat(
                'above ', {{ number_in_words('lower') }},
                ' up to ', {{ number_in_words('upper') }}
            )
        end as bin_name
    from movements

),

summed as (

    select
        segmentation,
        feature,
        cast(sum(term) as double) as psi,
        sum(case when customers_then + customers_now > 0 then 1 else 0 end)
            as bin_count,
        sum(customers_then) as customers_then,
        sum(customers_now) as customers_now,
        max(case when bin_number = 0 then share_then end) as missing_share_then,
        max(case when bin_number = 0 then share_now end) as missing_share_now,
        max(case
            when place = 1 and term > 0
                then concat(
                    bin_name, ': from ', {{ percentage('share_then') }},
                    ' to ', {{ percentage('share_now') }}
                )
        end) as largest_movement
    from ranked
    group by segmentation, feature

),

final as (

    select
        segmentation,
        feature,
        {{ rounded('psi', 6) }} as psi,
        {{ stability_by_chance(
            'bin_count', 'nullif(customers_now, 0)', 'nullif(customers_then, 0)'
        ) }} as psi_by_chance,
        bin_count,
        customers_then,
        customers_now,
        missing_share_then,
        missing_share_now,
        largest_movement
    from summed

)

select * from final
