{%- set z = '1.959963984540054e0' -%}  {#- 95 % of a normal distribution -#}
with days as (

    select
        *,
        case
            when customer_count >= {{ var('minimum_customers') }} then 'ok'
            else 'insufficient_data'
        end as status
    from {{ ref('int_second_purchase_risks') }}

),

-- where all at risk buy again, nobody is left and the logarithm is infinite
terms as (

    select
        *,
        case when event_count < at_risk_count then cast(
            ln(1 - cast(event_count as double) / at_risk_count) as decimal(28, 18)
        ) end as log_term,
        case when event_count < at_risk_count then cast(
            cast(event_count as double) / at_risk_count / (at_risk_count - event_count)
            as decimal(28, 18)
        ) end as variance_term
    from days
    where day = 0 or status = 'ok'

),

-- decimals add up to the same sum in any order
summed as (

    select
        {%- for term in ['log', 'variance'] %}
        cast(sum({{ term }}_term) over (
            partition by group_kind, group_name
            order by day
            rows between unbounded preceding and current row
        ) as double) as {{ term }}_sum,
        {%- endfor %}
        *
    from terms

),

estimated as (

    select
        *,
        case when event_count < at_risk_count then exp(log_sum) else 0e0 end
            as survival,
        coalesce({{ z }} * sqrt(variance_sum) / nullif(-log_sum, 0), 0) as spread
    from summed

),

final as (

    select
        group_kind,
        group_name,
        day,
        at_risk_count,
        event_count,
        {%- for column, expression in {
            'share_with_second_purchase': '1 - survival',
            'lower': '1 - exp(log_sum * exp(-spread))',
            'upper': '1 - exp(log_sum * exp(spread))',
        }.items() %}
        case
            when status = 'ok'{{ ' and survival > 0' if column in ['lower', 'upper'] }}
                then {{ rounded(expression, 6) }}
        end as {{ column }},
        {%- endfor %}
        min(case
            when status = 'ok' and {{ rounded('survival', 9) }} <= 0.5 then day
        end) over (partition by group_kind, group_name) as median_days,
        status
    from estimated

)

select * from final
