with campaigns as (

    select * from {{ ref('input_campaigns') }}

),

typed as (

    select
        {{ parse_id('campaign_id') }} as campaign_id,
        {{ parse_text('campaign_name') }} as campaign_name,
        {{ parse_text('action') }} as action,
        lower({{ parse_text('channel') }}) as channel,
        {{ parse_text('audience_id') }} as audience_id,
        {{ parse_timestamp('starts_at') }} as starts_at,
        {{ parse_text('starts_at') }} as starts_at_text,
        {{ parse_timestamp('ends_at') }} as ends_at,
        {{ parse_amount('contact_cost') }} as contact_cost,
        cast(source_file as {{ dbt.type_string() }}) as source_file,
        cast(source_line as bigint) as source_line,
        {{ row_as_text('campaigns') }} as source_row,
        cast(reject_reason as {{ dbt.type_string() }}) as reject_reason
    from campaigns

),

judged as (

    select
        *,
        case
            when reject_reason is not null then reject_reason
            when campaign_id is null then 'missing_campaign_id'
            when action is null then 'missing_action'
            when starts_at_text is null then 'missing_date'
            when starts_at is null then 'invalid_date'
        end as fault
    from typed

),

ranked as (

    select
        *,
        -- one that is in order is never the duplicate of one that is not
        row_number() over (
            partition by campaign_id, fault
            order by
                starts_at, md5(source_row), source_file nulls last,
                source_line nulls last
        ) as occurrence
    from judged

),

final as (

    select
        *,
        case
            when fault is not null then fault
            when occurrence > 1 then 'duplicate_campaign'
        end as quarantine_reason
    from ranked

)

select * from final
