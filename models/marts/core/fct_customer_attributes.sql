{% set attributes = customer_attributes() %}
with customers as (

    select * from {{ ref('stg_customer_attributes') }}

),

final as (
    {% for attribute, kind in attributes.items() %}
    select
        customer_id,
        '{{ attribute }}' as attribute,
        '{{ kind }}' as kind,
        {%- if kind == 'numeric' %}
        {{ attribute }} as number_value,
        cast(null as {{ dbt.type_string() }}) as text_value
        {%- else %}
        cast(null as double) as number_value,
        {{ attribute }} as text_value
        {%- endif %}
    from customers
    {{ 'union all' if not loop.last }}
    {% else %}
    select
        customer_id,
        cast(null as {{ dbt.type_string() }}) as attribute,
        cast(null as {{ dbt.type_string() }}) as kind,
        cast(null as double) as number_value,
        cast(null as {{ dbt.type_string() }}) as text_value
    from customers
    where 1 = 0
    {% endfor %}
)

select * from final
