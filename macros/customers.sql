{#- The segmentation that dim_customers carries: the first one configured. -#}
{% macro primary_segmentation() -%}
    {{ return(segmentations() | list | first) }}
{%- endmacro %}

{#- Completed years on a date, between 14 and 110; without a date of birth, the age
    that was given. -#}
{% macro age_on(birth_date, date, given_age) -%}
    {%- set years = dbt.datediff(birth_date, date, 'year') -%}
    {%- set birthday_to_come -%}
        case
            when month({{ birth_date }}) * 100 + day({{ birth_date }})
                > month({{ date }}) * 100 + day({{ date }}) then 1
            else 0
        end
    {%- endset -%}
    cast(case
        when {{ years }} - {{ birthday_to_come }} between 14 and 110
            then {{ years }} - {{ birthday_to_come }}
        else {{ given_age }}
    end as integer)
{%- endmacro %}

{#- What dim_customers has of int_customer_outlook; typed nulls where there are no
    orders. -#}
{% macro outlook_columns() -%}
    {%- set text = dbt.type_string() -%}
    {%- for column, type in {
        'value_basis': text, 'expected_purchases': 'double',
        'expected_purchase_amount': 'decimal(18, 4)',
        'lifetime_value': 'decimal(18, 4)', 'lifetime_value_band': 'integer',
        'is_core_value': 'boolean', 'alive_probability': 'double',
        'churn_probability': 'double', 'usual_churn_probability': 'double',
        'risk_band': text, 'churn_reasons': text,
        'value_if_retained': 'decimal(18, 4)', 'value_at_risk': 'decimal(18, 4)',
        'is_high_value': 'boolean', 'is_high_value_at_risk': 'boolean',
    }.items() %}
    {%- if has('order_lines') %}
    cast(outlook.{{ column }} as {{ type }}) as {{ column }},
    {%- else %}
    cast(null as {{ type }}) as {{ column }},
    {%- endif %}
    {%- endfor %}
    {%- for column in ['value_status', 'churn_status'] %}
    {%- if has('order_lines') %}
    coalesce(outlook.{{ column }}, 'no_purchase') as {{ column }},
    {%- else %}
    'no_orders' as {{ column }},
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- Why the action: the label that decided, what speaks for leaving, and the customer's
    own figures; without orders, what the segment is. -#}
{% macro reason_sentence() -%}
    {%- set text = dbt.type_string() -%}
    {%- if not has('order_lines') -%}
    case
        when primary_segments.status = 'assigned' then concat(
            primary_segments.segment_name, ': ', primary_segments.description
        )
    end
    {%- else -%}
    case
        when next_actions.decided_by = 'segment' and primary_segments.status <> 'assigned'
            then null
        when rfm.frequency = 0 then concat(next_actions.group_name, '.')
        else concat(
            next_actions.group_name, ': ',
            case
                when
                    next_actions.decided_by = 'risk'
                    and outlook.churn_reasons is not null
                    then concat(outlook.churn_reasons, '; ')
                else ''
            end,
            cast(rfm.frequency as {{ text }}),
            case when rfm.frequency = 1 then ' order, the last ' else ' orders, the last ' end,
            cast(rfm.recency_days as {{ text }}),
            case when rfm.recency_days = 1 then ' day ago, ' else ' days ago, ' end,
            cast(cast(rfm.monetary as decimal(18, 2)) as {{ text }}),
            ' {{ reporting_currency() }} in all.'
        )
    end
    {%- endif -%}
{%- endmacro %}

{#- A figure from predictions, null for an input without orders. -#}
{% macro known_value(expression) -%}
    {{ return(expression if has('order_lines') else 'null') }}
{%- endmacro %}

{#- A figure from orders: an empty segment has none of it, an input without orders does
    not know. -#}
{% macro zero_or_null(expression) -%}
    {%- if has('order_lines') -%} coalesce({{ expression }}, 0)
    {%- else -%} nullif({{ expression }}, {{ expression }})
    {%- endif -%}
{%- endmacro %}

{#- What dim_customers has of int_segment_tenure; typed nulls where there are no
    orders. -#}
{% macro tenure_columns() -%}
    {%- set text = dbt.type_string() -%}
    {%- for column, type in {
        'previous_segment_id': text, 'previous_segment_name': text,
        'months_in_segment': 'integer',
    }.items() %}
    {%- if has('order_lines') %}
    cast(tenure.{{ column }} as {{ type }}) as {{ column }},
    {%- else %}
    cast(null as {{ type }}) as {{ column }},
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
