{#- What the churn models look at; segmentation.churn makes the same ones. -#}
{% macro churn_features() -%}
    {{ return([
        'recency_days', 'frequency', 'monetary', 'tenure_days', 'purchase_logit',
    ] + (['recent_event_count'] if has('customer_events') else [])) }}
{%- endmacro %}

{#- The sum of coefficients times features; a feature that is not known was not learnt
    from. -#}
{% macro churn_score(features, coefficients) -%}
    {%- set terms = [] -%}
    {%- for feature in churn_features() -%}
        {%- do terms.append(
            'coalesce(' ~ features ~ '.' ~ feature ~ ', 0) * ' ~ coefficients ~ '.' ~ feature
        ) -%}
    {%- endfor -%}
    {{ return(terms | join('\n                + ')) }}
{%- endmacro %}

{#- Whether a customer is in a leaf: above and at most its bounds, null being none. -#}
{% macro within_leaf(features, leaves) -%}
    {%- set bounds = [] -%}
    {%- for feature in churn_features() -%}
        {%- set value = features ~ '.' ~ feature -%}
        {%- set bound = leaves ~ '.' ~ feature -%}
        {%- do bounds.append('coalesce(' ~ value ~ ' > ' ~ bound ~ '_above, true)') -%}
        {%- do bounds.append('coalesce(' ~ value ~ ' <= ' ~ bound ~ '_at_most, true)') -%}
    {%- endfor -%}
    {{ return(bounds | join('\n        and ')) }}
{%- endmacro %}
