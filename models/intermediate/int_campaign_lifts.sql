-- How many more of those who were assigned to a campaign bought than of its control
-- group, and how sure that is. Nothing is said before the window is over, nor of too
-- few.
with outcomes as (

    select * from {{ ref('int_campaign_outcomes') }}

),

rates as (

    select
        *,
        cast(treatment_buyer_count as double) / nullif(treatment_count, 0)
            as treatment_share,
        cast(control_buyer_count as double) / nullif(control_count, 0)
            as control_share,
        cast(treatment_buyer_count + control_buyer_count as double)
        / nullif(treatment_count + control_count, 0) as pooled_share
    from outcomes

),

judged as (

    select
        *,
        case
            when control_count = 0 then 'no_control'
            when not is_over then 'running'
            when
                {{ enough_in_group('treatment_count', 'pooled_share') }}
                and {{ enough_in_group('control_count', 'pooled_share') }}
                then 'ok'
            else 'too_few'
        end as status
    from rates

),

limits as (

    select
        {%- for arm in ['treatment', 'control'] %}
        {{ wilson_limit(arm ~ '_share', arm ~ '_count', '-') }} as {{ arm }}_low,
        {{ wilson_limit(arm ~ '_share', arm ~ '_count', '+') }} as {{ arm }}_high,
        cast({{ arm }}_revenue as double) / {{ arm }}_count as {{ arm }}_mean,
        greatest(
            {{ arm }}_squares
            - cast({{ arm }}_revenue as double) * cast({{ arm }}_revenue as double)
            / {{ arm }}_count,
            0
        ) / ({{ arm }}_count - 1) / {{ arm }}_count as {{ arm }}_variance,
        {%- endfor %}
        *
    from judged
    where status = 'ok'

),

-- Newcombe's hybrid score interval of the rates, Welch's interval of the means
differences as (

    select
        campaign_id,
        treatment_share - control_share as lift,
        treatment_share - control_share - sqrt(
            power(treatment_share - treatment_low, 2)
            + power(control_high - control_share, 2)
        ) as lift_lower,
        treatment_share - control_share + sqrt(
            power(treatment_high - treatment_share, 2)
            + power(control_share - control_low, 2)
        ) as lift_upper,
        treatment_mean - control_mean as revenue_difference,
        sqrt(treatment_variance + control_variance) as standard_error,
        power(treatment_variance + control_variance, 2) / nullif(
            power(treatment_variance, 2) / (treatment_count - 1)
            + power(control_variance, 2) / (control_count - 1),
            0
        ) as degrees
    from limits

),

final as (

    select
        judged.*,
        {{ rounded('differences.lift', 6) }} as lift,
        {{ rounded('differences.lift_lower', 6) }} as lift_lower,
        {{ rounded('differences.lift_upper', 6) }} as lift_upper,
        {{ rounded('differences.revenue_difference', 6) }} as revenue_difference,
        {{ rounded(
            t_quantile('differences.degrees') ~ ' * differences.standard_error', 6
        ) }} as revenue_margin
    from judged
    left join differences on judged.campaign_id = differences.campaign_id

)

select * from final
