-- The one wide table of what is known of a customer with a purchase, or of every
-- customer where the input has no orders, in raw units.
{% set with_orders = has('order_lines') %}
with customers as (

    select * from {{ ref('int_customer_rfm') }}
    {% if with_orders %}
    where frequency > 0
    {% endif %}

),

attributes as (

    select * from {{ ref('stg_customer_attributes') }}

),

records as (

    select * from {{ ref('stg_customers') }}

),
{% if with_orders %}
habits as (

    select * from {{ ref('int_customer_habits') }}

),
{% endif %}
final as (

    select
        {%- if with_orders %}
        cast(customers.recency_days as double) as recency_days,
        cast(customers.rfm_frequency as double) as frequency,
        cast(customers.rfm_monetary as double) as monetary,
        cast(customers.tenure_days as double) as tenure_days,
        {%- for feature in customer_features()
            if feature not in ['recency_days', 'frequency', 'monetary', 'tenure_days']
            and feature not in customer_attributes()
            and feature not in personal_features() %}
        habits.{{ feature }},
        {%- endfor %}
        -- all there ever were, for what a segmentation asks at least
        customers.frequency as purchase_count,
        {%- endif %}
        {%- for attribute in customer_attributes() %}
        attributes.{{ attribute }},
        {%- endfor %}
        {%- for feature, kind in personal_features().items() %}
        {%- if feature == 'age' %}
        cast(
            {{ age_on('records.birth_date', 'customers.as_of_date', 'records.age') }}
            as double
        ) as age,
        {%- else %}
        records.{{ feature }},
        {%- endif %}
        {%- endfor %}
        customers.customer_id
    from customers
    left join attributes on customers.customer_id = attributes.customer_id
    left join records on customers.customer_id = records.customer_id
    {% if with_orders %}
    inner join habits on customers.customer_id = habits.customer_id
    {% endif %}

)

select * from final
