-- Who is in for which action, whether the customer may be contacted for it now, what
-- that is expected to bring, and how likely the customer buys without it.
with consents as (

    select * from {{ ref('int_contact_consents') }}

),

-- an input without consents does not know who may be contacted
known as (

    select
        channel,
        count(is_allowed) > 0 as is_known
    from consents
    group by channel

),

worth as (

    select * from {{ ref('int_action_worth') }}
    where segmentation = 'next_action'

),

members as (

    select
        next_actions.customer_id,
        concat(next_actions.group_id, '-', substr(md5(next_actions.action), 1, 8))
            as audience_id,
        next_actions.group_id,
        next_actions.group_name,
        next_actions.action,
        worth.channel,
        worth.uplift,
        worth.uplift_status,
        worth.offer_cost,
        worth.value_at_stake,
        consents.is_allowed as is_contact_allowed,
        coalesce(known.is_known, false) as is_consent_known,
        pauses.customer_id is not null as is_paused
    from {{ ref('int_next_actions') }} as next_actions
    left join worth
        on next_actions.group_id = worth.segment_id
        and next_actions.action = worth.action
    left join known on worth.channel = known.channel
    left join consents
        on next_actions.customer_id = consents.customer_id
        and worth.channel = consents.channel
    left join {{ ref('int_contact_pauses') }} as pauses
        on next_actions.customer_id = pauses.customer_id
    where next_actions.action is not null

),

valued as (

    select
        members.*,
        members.channel is not null
        and coalesce(members.is_contact_allowed, not members.is_consent_known)
        and not members.is_paused as is_contactable,
        {{ hash_fraction("concat('universal control ', members.customer_id)") }}
        < {{ var('universal_control_share') }} as is_universal_control,
        {{ stake_of('outlook') }} as value,
        {{ purchase_chance('outlook', 'settings') }} as purchase_probability
    from members
    {% if has('order_lines') %}
    cross join {{ ref('int_lifetime_value_settings') }} as settings
    left join {{ ref('int_customer_outlook') }} as outlook
        on members.customer_id = outlook.customer_id
    {% endif %}
),

final as (

    select
        *,
        -- of decimals: engines round a double in the middle differently
        {{ money(
            'value * cast(uplift as decimal(9, 6)) - ' ~ money('offer_cost')
        ) }} as expected_value,
        case
            when value is null then 'no_value'
            when uplift is null or offer_cost is null then 'no_assumption'
            else 'ok'
        end as value_status
    from valued

)

select * from final
