with assigned as (

    select * from {{ ref('int_audience_assignments') }}

),

reasons as (

    select * from {{ ref('int_action_reasons') }}

),

records as (

    select * from {{ ref('stg_customers') }}

),

final as (

    select
        assigned.audience_id,
        assigned.customer_id,
        records.customer_name,
        records.email,
        records.phone,
        assigned.group_id,
        assigned.group_name,
        assigned.action,
        assigned.channel,
        assigned.assignment,
        reasons.reason,
        assigned.expected_value,
        assigned.value_status,
        assigned.uplift_status,
        assigned.is_contact_allowed,
        assigned.is_paused,
        assigned.control_share,
        assigned.base_rate,
        assigned.detectable_lift,
        assigned.can_be_measured,
        assigned.measurement_status
    from assigned
    inner join reasons on assigned.customer_id = reasons.customer_id
    left join records on assigned.customer_id = records.customer_id

)

select * from final
