with campaigns as (

    select * from {{ ref('base_campaigns') }}
    where quarantine_reason is null

),

final as (

    select
        campaign_id,
        campaign_name,
        action,
        channel,
        audience_id,
        contact_cost,
        starts_at,
        ends_at
    from campaigns

)

select * from final
