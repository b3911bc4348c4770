-- Who was assigned to a campaign that has begun by the date, and to which group:
-- whoever was assigned to the treatment belongs there, contacted or not.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

begun as (

    select campaigns.campaign_id
    from {{ ref('stg_campaigns') }} as campaigns
    cross join clock
    where cast(campaigns.starts_at as date) < clock.as_of_date

),

final as (

    select
        contacts.campaign_id,
        contacts.customer_id,
        min(contacts.assigned_group) as assigned_group,
        coalesce(
            min(cast(contacts.contacted_at as date)) < max(clock.as_of_date), false
        ) as is_contacted
    from {{ ref('stg_campaign_contacts') }} as contacts
    inner join begun on contacts.campaign_id = begun.campaign_id
    cross join clock
    group by contacts.campaign_id, contacts.customer_id

)

select * from final
