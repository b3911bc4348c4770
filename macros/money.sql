{#- Money: exact decimals, summed exactly, rounded at the end. -#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#- A double to so many digits. Engines differ where a value lies in the middle: Spark
    looks at its decimal text, the others at the value times the power of ten. -#}
{% macro rounded(expression, digits) -%}
    {{ return(adapter.dispatch('rounded', 'customer_segmentation')(expression, digits)) }}
{%- endmacro %}

{% macro default__rounded(expression, digits) -%}
    round({{ expression }}, {{ digits }})
{%- endmacro %}

{% macro spark__rounded(expression, digits) -%}
    round(({{ expression }}) * 1e{{ digits }}, 0) / 1e{{ digits }}
{%- endmacro %}

{#- A ratio for people: null where there is nothing to divide by. -#}
{% macro ratio(numerator, denominator, digits=6) -%}
    {{ rounded(
        'cast(' ~ numerator ~ ' as double) / nullif(cast(' ~ denominator ~ ' as double), 0)',
        digits
    ) }}
{%- endmacro %}

{#- A mean that does not depend on the order of rows: doubles are summed as
    decimals. -#}
{% macro exact_mean(expression) -%}
    {{ rounded(
        'cast(sum(cast(' ~ expression ~ ' as decimal(24, 6))) as double)'
        ~ ' / nullif(count(' ~ expression ~ '), 0)',
        6
    ) }}
{%- endmacro %}

{#- The part of an amount that some of its units stand for, to a hundredth of a cent. -#}
{% macro running_share(amount, units, all_units) -%}
    cast({{ rounded(
        'cast(' ~ amount ~ ' as double) * cast(' ~ units ~ ' as double)'
        ~ ' / cast(' ~ all_units ~ ' as double)',
        4
    ) }} as decimal(18, 4))
{%- endmacro %}
