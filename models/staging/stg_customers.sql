with customers as (

    select * from {{ ref('base_customers') }}
    where quarantine_reason is null

),

final as (

    select
        -- ids
        customer_id,
        -- strings
        customer_name,
        email,
        phone,
        gender,
        country,
        city,
        acquisition_channel,
        -- numerics: an age outside 14 to 110 is no age
        case when age between 14 and 110 then cast(floor(age) as integer) end as age,
        -- booleans
        has_consent_email,
        has_consent_sms,
        has_consent_post,
        has_consent_phone,
        -- dates
        signed_up_at,
        birth_date
    from customers

)

select * from final
