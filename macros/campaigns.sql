{#- Campaigns: how sure a difference is, and how small a one can be seen. -#}

{#- The least customers in a group, and the least buyers and others expected there,
    below which the approximations do not hold. -#}
{% macro enough_in_group(customers, rate) -%}
    {{ customers }} >= 30
    and {{ customers }} * {{ rate }} >= 5
    and {{ customers }} * (1 - {{ rate }}) >= 5
{%- endmacro %}

{#- The smallest difference between two groups that is found four times of five (power
    0.8), by a two-sided test at 0.05, where the share that buys anyway is known: the
    normal approximation. Null where it is more than all who do not buy anyway. -#}
{% macro detectable_difference(rate, customers, others) -%}
    {%- set difference -%}
        (1.959964 + 0.841621) * sqrt(
            {{ rate }} * (1 - {{ rate }})
            * (1 / nullif(cast({{ customers }} as double), 0)
                + 1 / nullif(cast({{ others }} as double), 0))
        )
    {%- endset -%}
    case when {{ difference }} <= 1 - {{ rate }} then {{ difference }} end
{%- endmacro %}

{#- Wilson's score limit of a share at 95 %: the lower one by '-', the upper one by
    '+'. -#}
{% macro wilson_limit(share, customers, side) -%}
    (
        {{ share }} + 3.841459e0 / (2 * {{ customers }}) {{ side }} 1.959964 * sqrt(
            ({{ share }} * (1 - {{ share }}) + 3.841459e0 / (4 * {{ customers }}))
            / {{ customers }}
        )
    ) / (1 + 3.841459e0 / {{ customers }})
{%- endmacro %}

{#- The 97.5 % quantile of Student's t, by Fisher and Cornish's expansion: right to four
    decimals from 20 degrees of freedom. -#}
{% macro t_quantile(degrees) -%}
    (
        1.959964
        + 2.372271 / {{ degrees }}
        + 2.822499 / power({{ degrees }}, 2)
        + 2.555851 / power({{ degrees }}, 3)
    )
{%- endmacro %}

{#- A share as text in percent with one decimal, rounded as decimals are. -#}
{% macro percent_text(share) -%}
    cast(cast(
        cast({{ share }} as decimal(9, 6)) * 100 as decimal(9, 1)
    ) as {{ dbt.type_string() }})
{%- endmacro %}

{#- What was measured of a campaign, or why nothing was, in a sentence. -#}
{% macro lift_sentence() -%}
    {%- set text = dbt.type_string() -%}
    case
        when measured.status = 'no_control'
            then 'Nobody was left out, so nobody knows how many would have bought anyway.'
        when measured.status = 'running'
            then concat(
                'Not over: purchases count up to the day before ',
                cast(measured.window_end_date as {{ text }}), '.'
            )
        when measured.status = 'too_few'
            then concat(
                'Too few to tell: ', cast(measured.treatment_count as {{ text }}),
                ' customers and ', cast(measured.control_count as {{ text }}),
                ' in the control group.'
            )
        when measured.is_found
            then concat(
                measured.shares_in_words, measured.lift_in_words, '. It helped.'
            )
        when measured.lift_upper < 0
            then concat(
                measured.shares_in_words, measured.lift_in_words, '. It did harm.'
            )
        else concat(
            measured.shares_in_words, measured.lift_in_words,
            '. No effect is found; ', {{ percent_text('measured.detectable_lift') }},
            ' points would have been, four times of five.'
        )
    end
{%- endmacro %}

{#- What the member's action is to raise, and how likely the member buys in the outcome
    window at a constant rate over the churn horizon; nulls without orders. -#}
{% macro stake_of(outlook) -%}
    {%- if has('order_lines') -%}
    case members.value_at_stake
        when 'lifetime_value' then {{ outlook }}.lifetime_value
        when 'value_at_risk' then {{ outlook }}.value_at_risk
    end
    {%- else -%}
    cast(null as decimal(18, 4))
    {%- endif -%}
{%- endmacro %}

{% macro purchase_chance(outlook, settings) -%}
    {%- if has('order_lines') -%}
    {{ rounded(
        '1 - power(' ~ outlook ~ '.churn_probability, cast('
        ~ var('campaign_outcome_days') ~ ' as double) / ' ~ settings ~ '.churn_horizon_days)',
        6
    ) }}
    {%- else -%}
    cast(null as double)
    {%- endif -%}
{%- endmacro %}
