-- Who was contacted by a campaign so shortly before the date that no other one should
-- follow yet.
with contacts as (

    select * from {{ ref('stg_campaign_contacts') }}

),

final as (

    select
        contacts.customer_id,
        max(cast(contacts.contacted_at as date)) as last_contact_date
    from contacts
    cross join {{ ref('int_as_of_date') }} as clock
    where
        cast(contacts.contacted_at as date) < clock.as_of_date
        and {{ dbt.datediff('contacts.contacted_at', 'clock.as_of_date', 'day') }}
        <= {{ var('contact_pause_days') }}
    group by contacts.customer_id

)

select * from final
