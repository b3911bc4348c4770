{#- Names that the package has too. -#}
{% macro money(expression) -%} 'the money of the shop' {%- endmacro %}

{% macro has(table) -%} {{ return(false) }} {%- endmacro %}

{% macro registry_schema() -%} {{ return('elsewhere') }} {%- endmacro %}

{% macro should_full_refresh() -%} {{ return(true) }} {%- endmacro %}

{% test in_range(model, column_name) %}
select 'every value is a fault' as fault
{% endtest %}
