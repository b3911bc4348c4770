{% set text = dbt.type_string() %}
with campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

lifts as (

    select * from {{ ref('int_campaign_lifts') }}

),

measured as (

    select
        lifts.*,
        {{ rounded(detectable_difference(
            'lifts.control_share', 'lifts.treatment_count', 'lifts.control_count'
        ), 6) }} as detectable_lift,
        lifts.lift_lower > 0 as is_found,
        concat(
            {{ percent_text('lifts.treatment_share') }}, ' % of ',
            cast(lifts.treatment_count as {{ text }}), ' customers bought, of ',
            cast(lifts.control_count as {{ text }}), ' in the control group ',
            {{ percent_text('lifts.control_share') }}, ' %: '
        ) as shares_in_words,
        concat(
            {{ percent_text('abs(lifts.lift)') }}, ' points ',
            case when lifts.lift < 0 then 'less' else 'more' end, ' (95 % interval ',
            {{ percent_text('lifts.lift_lower') }}, ' to ',
            {{ percent_text('lifts.lift_upper') }}, ')'
        ) as lift_in_words
    from lifts

),

final as (

    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        campaigns.action,
        campaigns.channel,
        campaigns.audience_id,
        measured.window_start_date,
        measured.window_end_date,
        cast(measured.treatment_count as integer) as treatment_count,
        cast(measured.control_count as integer) as control_count,
        cast(measured.treatment_contacted_count as integer) as contacted_count,
        cast(measured.control_contacted_count as integer) as contacted_control_count,
        cast(measured.treatment_buyer_count as integer) as treatment_buyer_count,
        cast(measured.control_buyer_count as integer) as control_buyer_count,
        {{ rounded('measured.treatment_share', 6) }} as treatment_buyer_share,
        {{ rounded('measured.control_share', 6) }} as control_buyer_share,
        measured.lift,
        measured.lift_lower,
        measured.lift_upper,
        {{ money(ratio('measured.treatment_revenue', 'measured.treatment_count', 4)) }}
            as treatment_revenue_per_customer,
        {{ money(ratio('measured.control_revenue', 'measured.control_count', 4)) }}
            as control_revenue_per_customer,
        {{ money('measured.revenue_difference') }} as revenue_difference,
        {{ money('measured.revenue_difference - measured.revenue_margin') }}
            as revenue_difference_lower,
        {{ money('measured.revenue_difference + measured.revenue_margin') }}
            as revenue_difference_upper,
        {{ money('measured.treatment_contacted_count * campaigns.contact_cost') }}
            as cost,
        measured.detectable_lift,
        measured.is_found,
        measured.status,
        {{ lift_sentence() }} as status_reason
    from measured
    inner join campaigns on measured.campaign_id = campaigns.campaign_id

)

select * from final
