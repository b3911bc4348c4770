with contacts as (

    select * from {{ ref('input_campaign_contacts') }}

),

clock as (

    select * from {{ ref('int_as_of_date') }}

),

typed as (

    select
        {{ parse_id('campaign_id') }} as campaign_id,
        {{ parse_id('customer_id') }} as customer_id,
        {{ parse_timestamp('contacted_at') }} as contacted_at,
        {{ parse_text('contacted_at') }} as contacted_at_text,
        coalesce(lower({{ parse_text('assigned_group') }}), 'treatment')
            as assigned_group,
        cast(source_file as {{ dbt.type_string() }}) as source_file,
        cast(source_line as bigint) as source_line,
        {{ row_as_text('campaign_contacts') }} as source_row,
        cast(reject_reason as {{ dbt.type_string() }}) as reject_reason
    from contacts

),

judged as (

    select
        typed.*,
        case
            when typed.reject_reason is not null then typed.reject_reason
            when typed.campaign_id is null then 'missing_campaign_id'
            when campaigns.campaign_id is null then 'unknown_campaign'
            when typed.customer_id is null then 'missing_customer_id'
            when
                not {{ matches(
                    'typed.customer_id', input_settings().customer_id_pattern
                ) }}
                then 'malformed_customer_id'
            when typed.assigned_group not in ('treatment', 'control')
                then 'unknown_group'
            when typed.contacted_at_text is not null and typed.contacted_at is null
                then 'invalid_date'
            when
                {{ dbt.datediff(
                    'clock.last_plausible_day', 'typed.contacted_at', 'day'
                ) }} > {{ var('max_silent_days') }}
                then 'implausible_future_date'
        end as fault
    from typed
    cross join clock
    left join {{ ref('stg_campaigns') }} as campaigns
        on typed.campaign_id = campaigns.campaign_id

),

compared as (

    select
        *,
        min(assigned_group) over (partition by campaign_id, customer_id, fault)
            as first_group,
        max(assigned_group) over (partition by campaign_id, customer_id, fault)
            as last_group,
        row_number() over (
            partition by campaign_id, customer_id, contacted_at, fault
            order by
                md5(source_row), source_file nulls last, source_line nulls last
        ) as occurrence
    from judged

),

final as (

    select
        *,
        case
            when fault is not null then fault
            when first_group <> last_group then 'in_both_groups'
            when occurrence > 1 then 'duplicate_contact'
        end as quarantine_reason
    from compared

)

select * from final
