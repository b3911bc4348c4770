{#- The relation to read for a table of the contract, by the var relations; none where it
    names none. -#}
{% macro relation_of(table) -%}
    {{ return(relation_name(table)) }}
{%- endmacro %}
