-- Who is contacted and who is left out to see what the contact is good for. By the hash
-- of audience and customer, so the same in every run; the universal control by that of
-- the customer alone, so the same in every audience.
with members as (

    select * from {{ ref('int_audience_members') }}

),

power as (

    select * from {{ ref('int_audience_power') }}

),

final as (

    select
        members.*,
        case
            when not members.is_contactable then 'not_contactable'
            when members.is_universal_control then 'universal_control'
            when
                {{ hash_fraction(
                    "concat(members.audience_id, ' ', members.customer_id)"
                ) }} < power.control_share
                then 'control'
            else 'treatment'
        end as assignment,
        power.control_share,
        power.base_rate,
        power.detectable_lift,
        power.can_be_measured,
        power.status as measurement_status
    from members
    inner join power on members.audience_id = power.audience_id

)

select * from final
