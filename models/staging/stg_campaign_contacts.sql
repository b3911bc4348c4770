with contacts as (

    select * from {{ ref('base_campaign_contacts') }}
    where quarantine_reason is null

),

final as (

    select
        campaign_id,
        customer_id,
        assigned_group,
        contacted_at
    from contacts

)

select * from final
