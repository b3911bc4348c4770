-- What a segment is named by: its profile, and the revenue that decides who is served
-- first where two segments fit one persona.
with profiles as (

    select * from {{ ref('int_segment_profiles') }}
    where segmentation <> 'rfm'

),

outliers as (

    select distinct outlier_segment_id
    from {{ ref('ml_segment_prototypes') }}
    where outlier_segment_id is not null

),

revenue as (

    select
        assigned.segment_id,
        {{ ratio(
            'sum(rfm.monetary)',
            'sum(sum(rfm.monetary)) over (partition by assigned.segmentation)'
        ) }} as segment_revenue_share
    from {{ ref('int_segment_assignments') }} as assigned
    inner join {{ ref('int_customer_rfm') }} as rfm
        on assigned.customer_id = rfm.customer_id
    where assigned.status = 'assigned'
    group by assigned.segmentation, assigned.segment_id

),

final as (

    select
        profiles.segmentation,
        profiles.segment_id,
        profiles.feature_level as feature,
        -- of a level, how many are of it: "high share of plan premium"
        case
            when profiles.level is null then profiles.feature_label
            else concat('share of ', profiles.feature_label, ' ', profiles.level)
        end as feature_label,
        profiles.index_against_all,
        profiles.effect_size,
        revenue.segment_revenue_share
    from profiles
    left join revenue on profiles.segment_id = revenue.segment_id
    left join outliers on profiles.segment_id = outliers.outlier_segment_id
    where outliers.outlier_segment_id is null

)

select * from final
