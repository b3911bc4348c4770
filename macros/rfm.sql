{#- How many fifths of the others lie below a rank that counts from 0: 0 to 4. Equal
    values have equal ranks, so equal scores. A single customer has rank 0 of 1. -#}
{% macro fifths_below(rank) -%}
    cast(least(4, floor(5 * {{ rank }} / greatest(customer_count - 1, 1))) as integer)
{%- endmacro %}
