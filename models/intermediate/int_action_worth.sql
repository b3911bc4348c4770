-- What each action is worth for its group: of those who can be reached and are not left
-- alone, the value at stake times the uplift, measured where a campaign has, else
-- assumed, less what it costs.
with actions as (

    select * from {{ ref('int_group_actions') }}

),

groups as (

    select * from {{ ref('int_action_groups') }}

),

-- of all customers where nobody knows who can be reached
contacts as (

    select
        actions.*,
        everybody.customer_count,
        everybody.revenue,
        coalesce(reachable.is_known, false) as is_reach_known,
        {%- for column in [
            'customer_count', 'paused_customer_count', 'lifetime_value', 'value_at_risk',
        ] %}
        case
            when reachable.is_known then reachable.{{ column }}
            else everybody.{{ column }}
        end as asked_{{ column }},
        {%- endfor %}
        case
            when reachable.is_known
                then reachable.customer_count - reachable.paused_customer_count
        end as reachable_customer_count
    from actions
    inner join groups as everybody
        on actions.segmentation = everybody.segmentation
        and actions.segment_id = everybody.segment_id
        and everybody.channel = 'all'
    left join groups as reachable
        on actions.segmentation = reachable.segmentation
        and actions.segment_id = reachable.segment_id
        and actions.channel = reachable.channel

),

valued as (

    select
        contacts.*,
        contacts.asked_customer_count - contacts.asked_paused_customer_count
            as contacted_count,
        case contacts.value_at_stake
            when 'lifetime_value' then contacts.asked_lifetime_value
            when 'value_at_risk' then contacts.asked_value_at_risk
        end as value_reachable,
        coalesce(measured.uplift, contacts.assumed_uplift) as uplift,
        measured.uplift_lower,
        measured.uplift_upper,
        case
            when measured.uplift is not null then 'measured'
            when contacts.assumed_uplift is not null then 'assumed'
        end as uplift_status
    from contacts
    left join {{ ref('int_action_uplifts') }} as measured
        on contacts.action = measured.action
        and coalesce(contacts.channel, '') = coalesce(measured.channel, '')

),

-- exactly: engines round a double that lies in the middle differently
gained as (

    select
        *,
        value_reachable * cast(uplift as decimal(9, 6)) as gain,
        {{ money('contacted_count * offer_cost') }} as cost
    from valued

),

final as (

    select
        *,
        {{ money('gain') }} as expected_gain,
        {{ money('gain - cost') }} as net_worth
    from gained

)

select * from final
