-- Why the next action of a customer, in one sentence with the customer's own figures.
with primary_segments as (

    select
        assigned.customer_id,
        assigned.status,
        segments.segment_name,
        personas.description
    from {{ ref('int_customer_segments') }} as assigned
    inner join {{ ref('int_segments') }} as segments
        on assigned.segment_id = segments.segment_id
    left join {{ ref('personas') }} as personas
        on personas.segmentation in (segments.segmentation, 'any')
        and segments.persona = personas.persona
    where assigned.segmentation = '{{ primary_segmentation() }}'

),

final as (

    select
        next_actions.customer_id,
        {{ reason_sentence() }} as reason
    from {{ ref('int_next_actions') }} as next_actions
    inner join primary_segments
        on next_actions.customer_id = primary_segments.customer_id
    {% if has('order_lines') %}
    inner join {{ ref('int_customer_rfm') }} as rfm
        on next_actions.customer_id = rfm.customer_id
    left join {{ ref('int_customer_outlook') }} as outlook
        on next_actions.customer_id = outlook.customer_id
    {% endif %}

)

select * from final
