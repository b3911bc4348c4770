-- What speaks for a customer's leaving, in words, the strongest kind first: the own
-- rhythm, falling spend, silence, returns; else how long the last purchase is ago.
{% set text = dbt.type_string() %}
with customers as (

    select * from {{ ref('int_snapshot_customers') }}

),

periods as (

    select
        customer_id,
        sum(case snapshot_number when 0 then net_amount when 1 then -net_amount end)
            as amount_now,
        sum(case snapshot_number when 1 then net_amount when 2 then -net_amount end)
            as amount_before,
        max(snapshot_number) as earliest_snapshot
    from customers
    where snapshot_number <= 2
    group by customer_id

),

events as (

    select distinct customer_id from {{ ref('stg_customer_events') }}

),

described as (

    select
        customers.*,
        settings.churn_horizon_days,
        {{ ratio('customers.span_days', 'customers.repeat_count') }} as usual_days,
        periods.earliest_snapshot,
        periods.amount_now,
        periods.amount_before,
        events.customer_id is not null and customers.recent_event_count = 0
            as is_silent,
        habits.returned_share
    from customers
    cross join {{ ref('int_lifetime_value_settings') }} as settings
    inner join periods on customers.customer_id = periods.customer_id
    left join {{ ref('int_customer_habits') }} as habits
        on customers.customer_id = habits.customer_id
    left join events on customers.customer_id = events.customer_id
    where customers.snapshot_number = 0

),

signs as (

    select
        customer_id,
        case
            when repeat_count = 0
                then concat(
                    'bought on one day only, ', cast(recency_days as {{ text }}),
                    case when recency_days = 1 then ' day ago' else ' days ago' end
                )
            when recency_days > 1.5 * greatest(usual_days, 1)
                then concat(
                    'silent for ', cast(recency_days as {{ text }}), ' days, with ',
                    cast(cast(round(usual_days) as integer) as {{ text }}),
                    ' days between purchases before'
                )
        end as rhythm,
        case
            when
                earliest_snapshot = 2 and amount_before > 0
                and amount_now < 0.5 * amount_before
                then concat(
                    'spent ',
                    {{ as_percent('1 - ' ~ ratio('amount_now', 'amount_before')) }},
                    ' % less in the last ', cast(churn_horizon_days as {{ text }}),
                    ' days than in those before'
                )
        end as falling_spend,
        case
            when is_silent
                then concat(
                    'no visit or click for ', cast(churn_horizon_days as {{ text }}),
                    ' days'
                )
        end as silence,
        case
            when returned_share >= 0.25
                then concat(
                    'sent back ', {{ as_percent('returned_share') }},
                    ' % of what was bought'
                )
        end as returns,
        concat(
            'last bought ', cast(recency_days as {{ text }}),
            case when recency_days = 1 then ' day' else ' days' end,
            ' ago, with ', cast(cast(round(usual_days) as integer) as {{ text }}),
            ' days between purchases before'
        ) as otherwise
    from described

),

final as (

    select
        customer_id,
        coalesce(
            nullif(concat_ws('; ', rhythm, falling_spend, silence, returns), ''),
            otherwise
        ) as churn_reasons
    from signs

)

select * from final
