-- The groups that actions are for: each segment, and the customers with the same next
-- action, of whom everybody is in one. Of each group how many there are, in all and of
-- those who have consented to a channel; and what is at stake, of those who are not
-- left alone because they were contacted shortly before.
with members as (

    select
        segmentation,
        segment_id,
        customer_id
    from {{ ref('int_customer_segments') }}
    union all
    select
        'next_action' as segmentation,
        group_id as segment_id,
        customer_id
    from {{ ref('int_next_actions') }}

),

consents as (

    select * from {{ ref('int_contact_consents') }}

),

-- an input without consents does not know who is reachable
known as (

    select
        channel,
        count(is_allowed) > 0 as is_known
    from consents
    group by channel

),

reached as (

    select
        members.*,
        'all' as channel
    from members
    union all
    select
        members.*,
        consents.channel
    from members
    inner join consents on members.customer_id = consents.customer_id
    where consents.is_allowed

),

totals as (

    select
        reached.segmentation,
        reached.segment_id,
        reached.channel,
        count(*) as customer_count,
        count(pauses.customer_id) as paused_customer_count,
        {%- for value in ['lifetime_value', 'value_at_risk'] %}
        {{ money(known_value(
            'sum(case when pauses.customer_id is null then outlook.' ~ value ~ ' end)'
        )) }} as {{ value }},
        {%- endfor %}
        {{ money('sum(rfm.monetary)') }} as revenue
    from reached
    inner join {{ ref('int_customer_rfm') }} as rfm
        on reached.customer_id = rfm.customer_id
    left join {{ ref('int_contact_pauses') }} as pauses
        on reached.customer_id = pauses.customer_id
    {% if has('order_lines') %}
    left join {{ ref('int_customer_outlook') }} as outlook
        on reached.customer_id = outlook.customer_id
    {% endif %}
    group by reached.segmentation, reached.segment_id, reached.channel

),

groups as (

    select
        totals.segmentation,
        totals.segment_id,
        known.channel,
        known.is_known
    from totals
    cross join known
    where totals.channel = 'all'
    union all
    select
        segmentation,
        segment_id,
        channel,
        true as is_known
    from totals
    where channel = 'all'

),

final as (

    select
        groups.segmentation,
        groups.segment_id,
        groups.channel,
        groups.is_known,
        coalesce(totals.customer_count, 0) as customer_count,
        coalesce(totals.paused_customer_count, 0) as paused_customer_count,
        totals.revenue,
        totals.lifetime_value,
        totals.value_at_risk
    from groups
    left join totals
        on groups.segmentation = totals.segmentation
        and groups.segment_id = totals.segment_id
        and groups.channel = totals.channel

)

select * from final
