{#- Whether a group of customers passes the filters of the self-check. Guests are in
    neither a segment nor a country. -#}
{% macro passes_self_check(filters, customers) -%}
    ({{ filters }}.segment_id is null or {{ customers }}.is_in_segment)
    and ({{ filters }}.country is null or {{ customers }}.is_in_country)
{%- endmacro %}
