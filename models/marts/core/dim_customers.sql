with rfm as (

    select * from {{ ref('int_customer_rfm') }}

),

records as (

    select * from {{ ref('stg_customers') }}

),

scores as (

    select * from {{ ref('int_rfm_segments') }}

),

lifecycle as (

    select * from {{ ref('int_lifecycle_states') }}

),

primary_segments as (

    select
        assigned.customer_id,
        assigned.segment_id,
        assigned.status,
        segments.segment_name
    from {{ ref('int_customer_segments') }} as assigned
    inner join {{ ref('dim_segments') }} as segments
        on assigned.segment_id = segments.segment_id
    where assigned.segmentation = '{{ primary_segmentation() }}'

),

{% if has('order_lines') -%}
tenure as (

    select
        tenure.*,
        segments.segment_name as previous_segment_name
    from {{ ref('int_segment_tenure') }} as tenure
    left join {{ ref('int_segments') }} as segments
        on tenure.previous_segment_id = segments.segment_id

),

{% endif -%}
next_actions as (

    select
        decided.customer_id,
        decided.decided_by,
        decided.action,
        reasons.reason
    from {{ ref('int_next_actions') }} as decided
    inner join {{ ref('int_action_reasons') }} as reasons
        on decided.customer_id = reasons.customer_id

),
{% if has('order_lines') %}
outlook as (

    select * from {{ ref('int_customer_outlook') }}

),
{% endif %}
events as (

    select
        events.customer_id,
        count(*) as event_count,
        max(cast(events.event_at as date)) as last_event_date
    from {{ ref('stg_customer_events') }} as events
    cross join {{ ref('int_as_of_date') }} as clock
    where cast(events.event_at as date) < clock.as_of_date
    group by events.customer_id

),

final as (

    select
        rfm.customer_id,
        records.customer_name,
        records.email,
        records.phone,
        records.gender,
        {{ age_on('records.birth_date', 'rfm.as_of_date', 'records.age') }} as age,
        records.country,
        records.city,
        records.acquisition_channel,
        cast(records.signed_up_at as date) as signed_up_date,
        records.has_consent_email,
        records.has_consent_sms,
        records.has_consent_post,
        records.has_consent_phone,
        rfm.as_of_date,
        rfm.order_count,
        rfm.frequency,
        rfm.first_purchase_date,
        rfm.last_purchase_date,
        rfm.recency_days,
        rfm.tenure_days,
        rfm.gross_amount,
        rfm.discount_amount,
        rfm.order_net_amount,
        rfm.money_back_amount,
        rfm.monetary,
        {{ money(ratio('rfm.order_net_amount', 'rfm.frequency', 4)) }}
            as average_order_amount,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.rfm_code,
        scores.rfm_segment,
        scores.rfm_status,
        lifecycle.lifecycle_state,
        primary_segments.segment_id,
        primary_segments.segment_name,
        primary_segments.status as segment_status,
        {{ tenure_columns() | indent(8) }}
        {{ outlook_columns() | indent(8) }}
        next_actions.decided_by as next_action_decided_by,
        next_actions.action as recommended_action,
        next_actions.reason as recommended_action_reason,
        cast(coalesce(events.event_count, 0) as integer) as event_count,
        events.last_event_date
    from rfm
    inner join scores on rfm.customer_id = scores.customer_id
    inner join lifecycle on rfm.customer_id = lifecycle.customer_id
    inner join primary_segments on rfm.customer_id = primary_segments.customer_id
    inner join next_actions on rfm.customer_id = next_actions.customer_id
    {% if has('order_lines') -%}
    left join outlook on rfm.customer_id = outlook.customer_id
    left join tenure on rfm.customer_id = tenure.customer_id
    {% endif -%}
    left join records on rfm.customer_id = records.customer_id
    left join events on rfm.customer_id = events.customer_id

)

select * from final
