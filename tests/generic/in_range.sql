{#- A number lies within bounds; null is left to not_null. -#}
{% test in_range(model, column_name, minimum=none, maximum=none) %}

select {{ column_name }}
from {{ model }}
where
    1 = 0
    {%- if minimum is not none %}
    or {{ column_name }} < {{ minimum }}
    {%- endif %}
    {%- if maximum is not none %}
    or {{ column_name }} > {{ maximum }}
    {%- endif %}

{% endtest %}
