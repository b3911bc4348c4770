with customers as (

    select * from {{ ref('input_customers') }}

),

typed as (

    select
        {{ parse_id('customer_id') }} as customer_id,
        {{ parse_text('customer_name') }} as customer_name,
        lower({{ parse_text('email') }}) as email,
        {{ parse_text('phone') }} as phone,
        lower({{ parse_text('gender') }}) as gender,
        {{ title_case(parse_text('country')) }} as country,
        {{ parse_text('city') }} as city,
        lower({{ parse_text('acquisition_channel') }}) as acquisition_channel,
        {{ parse_amount('age') }} as age,
        {%- for channel in ['email', 'sms', 'post', 'phone'] %}
        {{ parse_boolean('consent_' ~ channel) }} as has_consent_{{ channel }},
        {%- endfor %}
        {{ parse_timestamp('signed_up_at') }} as signed_up_at,
        cast({{ parse_timestamp('birth_date') }} as date) as birth_date,
        {%- for attribute, kind in customer_attributes().items() %}
        {% if kind == 'numeric' %}{{ parse_number(attribute) }}
        {%- else %}{{ parse_text(attribute) }}
        {%- endif %} as {{ attribute }},
        {%- endfor %}
        cast(source_file as {{ dbt.type_string() }}) as source_file,
        cast(source_line as bigint) as source_line,
        {{ row_as_text('customers') }} as source_row,
        cast(reject_reason as {{ dbt.type_string() }}) as reject_reason
    from customers

),

ranked as (

    select
        *,
        -- of several records of one customer the fullest is kept
        row_number() over (
            partition by customer_id
            order by
                case when reject_reason is null then 0 else 1 end
                {%- for column in [
                    'customer_name', 'email', 'phone', 'gender', 'country', 'city',
                    'acquisition_channel', 'age', 'signed_up_at', 'birth_date',
                ] %}
                + case when {{ column }} is null then 1 else 0 end
                {%- endfor %},
                md5(source_row),
                source_line nulls last,
                source_file nulls last
        ) as occurrence
    from typed

),

final as (

    select
        *,
        case
            when reject_reason is not null then reject_reason
            when customer_id is null then 'missing_customer_id'
            when not {{ matches('customer_id', input_settings().customer_id_pattern) }}
                then 'malformed_customer_id'
            when occurrence > 1 then 'duplicate_customer'
        end as quarantine_reason
    from ranked

)

select * from final
