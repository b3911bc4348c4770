-- Which of a customer's labels decides what to do next: the lifecycle where it alone
-- says enough, then the risk, then the segment of the primary segmentation.
with customers as (

    select * from {{ ref('int_customer_segments') }}
    where segmentation = '{{ primary_segmentation() }}'

),

labelled as (

    select
        customers.customer_id,
        customers.segment_id,
        {% if has('order_lines') -%}
        lifecycle.lifecycle_state,
        outlook.risk_band,
        coalesce(outlook.is_high_value, false) as is_high_value,
        {%- else -%}
        cast(null as {{ dbt.type_string() }}) as lifecycle_state,
        cast(null as {{ dbt.type_string() }}) as risk_band,
        false as is_high_value,
        {%- endif %}
        customers.segmentation
    from customers
    {% if has('order_lines') %}
    inner join {{ ref('int_lifecycle_states') }} as lifecycle
        on customers.customer_id = lifecycle.customer_id
    left join {{ ref('int_customer_outlook') }} as outlook
        on customers.customer_id = outlook.customer_id
    {% endif %}

),

decided as (

    select
        *,
        case
            when lifecycle_state in ('prospect', 'no_net_purchase', 'new', 'lapsed')
                then 'lifecycle'
            when
                risk_band in ('high', 'gone')
                or is_high_value and risk_band = 'elevated'
                then 'risk'
            else 'segment'
        end as decided_by,
        case
            when lifecycle_state = 'lapsed' and is_high_value then 'lapsed_high_value'
            when lifecycle_state in ('prospect', 'no_net_purchase', 'new', 'lapsed')
                then lifecycle_state
            when is_high_value and risk_band in ('elevated', 'high', 'gone')
                then 'high_value_leaving'
            when risk_band in ('high', 'gone') then 'at_risk'
        end as persona
    from labelled

),

final as (

    select
        decided.customer_id,
        decided.decided_by,
        decided.persona,
        case
            when decided.decided_by = 'segment' then decided.segment_id
            else concat(decided.decided_by, '-', decided.persona)
        end as group_id,
        coalesce(personas.segment_name, segments.segment_name) as group_name,
        coalesce(actions.action, segment_actions.action) as action
    from decided
    left join {{ ref('personas') }} as personas
        on decided.decided_by = personas.segmentation
        and decided.persona = personas.persona
    left join {{ ref('segment_actions') }} as actions
        on decided.decided_by = actions.segmentation
        and decided.persona = actions.persona
        and actions.priority = 1
    left join {{ ref('int_segments') }} as segments
        on decided.segment_id = segments.segment_id
    left join {{ ref('int_segment_actions') }} as segment_actions
        on decided.segment_id = segment_actions.segment_id
        and segment_actions.priority = 1

)

select * from final
