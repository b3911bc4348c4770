-- What campaigns have measured of an action: their lift, of several the mean, each
-- weighted by how sure it is.
{% set text = dbt.type_string() %}
with actions as (

    select distinct
        action,
        channel
    from {{ ref('segment_actions') }}

),

measured as (
    {% if has('order_lines') %}
    select
        campaigns.campaign_id,
        lower(campaigns.action) as action,
        campaigns.channel,
        lifts.lift,
        lifts.lift_lower,
        lifts.lift_upper,
        -- one over the variance that the width of the interval stands for
        cast(
            power(2 * 1.959964 / (lifts.lift_upper - lifts.lift_lower), 2)
            as decimal(18, 6)
        ) as weight
    from {{ ref('stg_campaigns') }} as campaigns
    inner join {{ ref('int_campaign_lifts') }} as lifts
        on campaigns.campaign_id = lifts.campaign_id
    where lifts.status = 'ok'
    {% else %}
    select
        cast(null as {{ text }}) as action,
        cast(null as {{ text }}) as channel,
        cast(null as double) as lift,
        cast(null as double) as lift_lower,
        cast(null as double) as lift_upper,
        cast(null as decimal(18, 6)) as weight
    where 1 = 0
    {% endif %}
),

pooled as (

    select
        actions.action,
        actions.channel,
        count(*) as campaign_count,
        max(measured.lift_lower) as only_lower,
        max(measured.lift_upper) as only_upper,
        cast(sum(measured.weight) as double) as weight,
        cast(sum(cast(measured.weight * measured.lift as decimal(28, 9))) as double)
        / cast(sum(measured.weight) as double) as uplift
    from actions
    inner join measured
        on lower(actions.action) = measured.action
        and coalesce(actions.channel = measured.channel, measured.channel is null)
    group by actions.action, actions.channel

),

final as (

    select
        action,
        channel,
        cast(campaign_count as integer) as campaign_count,
        {{ rounded('uplift', 6) }} as uplift,
        case
            when campaign_count = 1 then only_lower
            else {{ rounded('uplift - 1.959964 / sqrt(weight)', 6) }}
        end as uplift_lower,
        case
            when campaign_count = 1 then only_upper
            else {{ rounded('uplift + 1.959964 / sqrt(weight)', 6) }}
        end as uplift_upper
    from pooled

)

select * from final
