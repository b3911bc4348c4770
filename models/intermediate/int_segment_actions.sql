-- What to do about each segment, the first choice and its alternatives. RFM's actions
-- hold wherever RFM stands in for a model too.
with segments as (

    select * from {{ ref('int_segments') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

named as (

    select
        segments.segmentation,
        segments.segment_id,
        case when segments.persona = 'rfm' then 'rfm' else segments.segmentation end
            as action_segmentation,
        case
            when segments.persona = 'rfm' then rfm_segments.segment_name
            else segments.persona
        end as action_persona
    from segments
    left join rfm_segments
        on segments.segment_id like concat(
            '%rfm-', cast(rfm_segments.segment_number as {{ dbt.type_string() }})
        )

),

final as (

    select
        named.segmentation,
        named.segment_id,
        actions.priority,
        actions.action,
        actions.how,
        actions.channel,
        actions.kpi,
        actions.offer,
        actions.offer_cost,
        actions.assumed_uplift,
        actions.value_at_stake,
        actions.max_frequency,
        actions.do_not
    from named
    inner join {{ ref('segment_actions') }} as actions
        on actions.segmentation in (named.action_segmentation, 'any')
        and named.action_persona = actions.persona

)

select * from final
