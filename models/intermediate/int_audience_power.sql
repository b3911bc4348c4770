-- How large the control group of each audience must be to see the lift that is asked
-- for, and how small a lift can be seen then: the smallest share of a ladder that is
-- enough, or a tenth where none is. Shares of a ladder and not any share, so that few
-- customers change their group when the audience grows or shrinks a little.
with members as (

    select * from {{ ref('int_audience_members') }}

),

audiences as (

    select
        audience_id,
        sum(case when is_contactable and not is_universal_control then 1 else 0 end)
            as asked_count,
        max(channel) as channel,
        {{ exact_mean(
            'case when is_contactable and not is_universal_control'
            ~ ' then purchase_probability end'
        ) }} as base_rate
    from members
    group by audience_id

),

ladder as (
    {% for share in [0.05, 0.1, 0.2, 0.3, 0.4, 0.5] %}
    select cast({{ share }} as double) as control_share
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rungs as (

    select
        audiences.*,
        ladder.control_share,
        {{ rounded(detectable_difference(
            'audiences.base_rate',
            'audiences.asked_count * ladder.control_share',
            'audiences.asked_count * (1 - ladder.control_share)',
        ), 6) }} as detectable_lift,
        {{ enough_in_group(
            'audiences.asked_count * ladder.control_share', 'audiences.base_rate'
        ) }} as is_enough
    from audiences
    cross join ladder

),

chosen as (

    select
        audience_id,
        channel,
        asked_count,
        base_rate,
        min(
            case
                when is_enough and detectable_lift <= {{ var('detectable_lift') }}
                    then control_share
            end
        ) as enough_share
    from rungs
    group by audience_id, channel, asked_count, base_rate

),

final as (

    select
        chosen.audience_id,
        chosen.base_rate,
        rungs.control_share,
        rungs.detectable_lift,
        case
            when chosen.base_rate is not null then chosen.enough_share is not null
        end as can_be_measured,
        case
            when chosen.channel is null then 'no_channel'
            when chosen.asked_count = 0 then 'nobody_to_contact'
            when chosen.base_rate is null then 'no_base_rate'
            when chosen.enough_share is null then 'too_small'
            else 'ok'
        end as status
    from chosen
    inner join rungs
        on chosen.audience_id = rungs.audience_id
        and coalesce(chosen.enough_share, cast(0.1 as double)) = rungs.control_share

)

select * from final
