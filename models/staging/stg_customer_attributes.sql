-- The input's own attributes of its customers; the id alone where it has none.
with customers as (

    select * from {{ ref('base_customers') }}
    where quarantine_reason is null

),

final as (

    select
        {%- for attribute in customer_attributes() %}
        {{ attribute }},
        {%- endfor %}
        customer_id
    from customers

)

select * from final
