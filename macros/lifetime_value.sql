{#- What the value model looks at: all purchase days, or the repeat ones only. -#}
{% macro valued_days(customers) -%}
    {{ customers }}.{{ 'purchase_day_count' if var('purchase_values') == 'all' else 'repeat_count' }}
{%- endmacro %}

{#- Mean spend on those days, less the share of all spend that was paid back. -#}
{% macro purchase_value(customers) -%}
    {%- set amount = 'net_amount' if var('purchase_values') == 'all' else 'repeat_amount' -%}
    {{ ratio(
        'cast(' ~ customers ~ '.' ~ amount ~ ' as double)'
        ~ ' * greatest(cast(' ~ customers ~ '.monetary as double), 0)',
        valued_days(customers) ~ ' * ' ~ customers ~ '.net_amount'
    ) }}
{%- endmacro %}

{#- A power; beyond exp(700) is no double. Null stays null, which least() would not
    leave. -#}
{% macro exp_of(exponent) -%}
    exp(case when {{ exponent }} > 700 then 700 else {{ exponent }} end)
{%- endmacro %}

{#- Of at least one purchase within the churn horizon, by a customer who is one still
    and was last known after so many days. -#}
{% macro purchase_probability(days) -%}
    1 - {{ exp_of(
        '(odds.r + odds.repeat_count) * (ln(odds.alpha + ' ~ days ~ ')'
        ~ ' - ln(odds.alpha + ' ~ days ~ ' + settings.churn_horizon_days))'
    ) }}
{%- endmacro %}

{#- A share as text, in whole percent. -#}
{% macro as_percent(share) -%}
    cast(cast(round(100 * ({{ share }})) as integer) as {{ dbt.type_string() }})
{%- endmacro %}

{#- The step of a thousandth that an amount above zero lies on. -#}
{% macro value_step(amount) -%}
    cast(floor({{ rounded('1000 * ln(cast(' ~ amount ~ ' as double))', 6) }}) as integer)
{%- endmacro %}

{#- A value within a limit either way. Null stays null, which least() would not leave. -#}
{% macro clipped(value, limit) -%}
    case
        when {{ value }} > {{ limit }} then {{ limit }}
        when {{ value }} < -{{ limit }} then -{{ limit }}
        else {{ value }}
    end
{%- endmacro %}

{#- Without a row the coefficient is 0. -#}
{% macro coefficient_of(feature) -%}
    coalesce(sum(case when feature = '{{ feature }}' then coefficient end), 0)
{%- endmacro %}
