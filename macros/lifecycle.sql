{#- Whether an order is a purchase, by what is left of it. -#}
{% macro is_purchase(net_amount, gross_amount, returned_units) -%}
    {%- if var('zero_prices') == 'keep' -%}
    -- goods for nothing were fetched too, unless they came back
    ({{ net_amount }} > 0 or {{ gross_amount }} = 0 and {{ returned_units }} = 0)
    {%- else -%}
    {{ net_amount }} > 0
    {%- endif -%}
{%- endmacro %}

{#- Where a customer stands, by dates alone: of a table with has_orders, frequency,
    tenure_days, recency_days, last_purchase_date and previous_purchase_date. -#}
{% macro lifecycle_state(customers, horizon) -%}
    case
        when not {{ customers }}.has_orders then 'prospect'
        when {{ customers }}.frequency = 0 then 'no_net_purchase'
        when {{ customers }}.tenure_days <= {{ var('new_customer_days') }} then 'new'
        when {{ customers }}.recency_days > {{ horizon }} then 'lapsed'
        when
            {{ dbt.datediff(
                customers ~ '.previous_purchase_date',
                customers ~ '.last_purchase_date', 'day'
            ) }} > {{ horizon }}
            and {{ customers }}.recency_days <= {{ var('new_customer_days') }}
            then 'reactivated'
        when {{ customers }}.frequency = 1 then 'one_time'
        when 2 * {{ customers }}.recency_days > {{ horizon }} then 'at_risk'
        else 'active'
    end
{%- endmacro %}

{#- The states of customers who buy. -#}
{% macro live_states() -%}
    'new', 'one_time', 'active', 'at_risk', 'reactivated'
{%- endmacro %}
