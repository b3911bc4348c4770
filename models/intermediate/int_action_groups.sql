-- The groups that actions are for: each segment, and the customers with the same next
-- action, of whom everybody is in one. Of each group how many there are and what is at
-- stake, in all and of those who may be reached by a channel.
{% set channels = ['email', 'sms', 'post', 'phone'] %}
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

described as (

    select
        {%- for channel in channels %}
        case when records.has_consent_{{ channel }} then 1 else 0 end
            as may_{{ channel }},
        {%- endfor %}
        members.segmentation,
        members.segment_id,
        rfm.monetary,
        {% if has('order_lines') -%}
        outlook.lifetime_value,
        outlook.value_at_risk
        {%- else -%}
        cast(null as decimal(18, 4)) as lifetime_value,
        cast(null as decimal(18, 4)) as value_at_risk
        {%- endif %}
    from members
    inner join {{ ref('int_customer_rfm') }} as rfm
        on members.customer_id = rfm.customer_id
    left join {{ ref('stg_customers') }} as records
        on members.customer_id = records.customer_id
    {% if has('order_lines') %}
    left join {{ ref('int_customer_outlook') }} as outlook
        on members.customer_id = outlook.customer_id
    {% endif %}

),

-- an input without consents does not know who is reachable
known as (

    select
        {% for channel in channels -%}
        count(has_consent_{{ channel }}) > 0 as knows_{{ channel }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_customers') }}

),

final as (

    select
        segmentation,
        segment_id,
        'all' as channel,
        true as is_known,
        count(*) as customer_count,
        {{ money('sum(monetary)') }} as revenue,
        {{ money('sum(lifetime_value)') }} as lifetime_value,
        {{ money('sum(value_at_risk)') }} as value_at_risk
    from described
    group by segmentation, segment_id
    {%- for channel in channels %}
    union all
    select
        described.segmentation,
        described.segment_id,
        '{{ channel }}' as channel,
        known.knows_{{ channel }} as is_known,
        sum(described.may_{{ channel }}) as customer_count,
        {%- for amount in ['monetary', 'lifetime_value', 'value_at_risk'] %}
        {{ money('sum(case when described.may_' ~ channel ~ ' = 1 then described.' ~ amount ~ ' end)') }}
            as {{ 'revenue' if amount == 'monetary' else amount }}{{ ',' if not loop.last }}
        {%- endfor %}
    from described
    cross join known
    group by described.segmentation, described.segment_id, known.knows_{{ channel }}
    {%- endfor %}

)

select * from final
