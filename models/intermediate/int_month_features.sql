-- The features of customers with a purchase at the end of each month that is to be
-- computed, in raw units. Attributes have no history: they are those of today.
{% set rfm = ['recency_days', 'frequency', 'monetary', 'tenure_days'] %}
with customers as (

    select * from {{ ref('int_month_customers') }}
    where frequency > 0

),

purchases as (

    select
        customer_id,
        month_end_date,
        unit_count,
        active_months
    from customers

),

events as (

    select
        customer_id,
        month_end_date,
        event_count
    from customers

),

{{ habit_ctes('month_end_date') }},

attributes as (

    select * from {{ ref('stg_customer_attributes') }}

),

records as (

    select * from {{ ref('stg_customers') }}

),

final as (

    select
        cast(customers.recency_days as double) as recency_days,
        cast(customers.rfm_frequency as double) as frequency,
        cast(customers.rfm_monetary as double) as monetary,
        cast(customers.tenure_days as double) as tenure_days,
        {%- for feature in customer_features()
            if feature not in rfm and feature not in customer_attributes()
            and feature not in personal_features() %}
        habits.{{ feature }},
        {%- endfor %}
        {%- for attribute in customer_attributes() %}
        attributes.{{ attribute }},
        {%- endfor %}
        {%- for feature in personal_features() %}
        {%- if feature == 'age' %}
        cast(
            {{ age_on(
                'records.birth_date',
                dbt.dateadd('day', 1, 'customers.month_end_date'), 'records.age'
            ) }}
            as double
        ) as age,
        {%- else %}
        records.{{ feature }},
        {%- endif %}
        {%- endfor %}
        customers.frequency as purchase_count,
        customers.customer_id,
        customers.month_end_date
    from customers
    inner join habits
        on customers.customer_id = habits.customer_id
        and customers.month_end_date = habits.month_end_date
    left join attributes on customers.customer_id = attributes.customer_id
    left join records on customers.customer_id = records.customer_id

)

select * from final
