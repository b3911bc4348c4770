{% set months = [
    'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August',
    'September', 'October', 'November', 'December',
] %}
{% set days = [
    'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday',
] %}
with bounds as (

    select
        cast({{ dbt.date_trunc('year', 'min(orders.order_date)') }} as date)
            as first_day,
        cast({{ dbt.date_trunc('year', 'max(clock.as_of_date)') }} as date) as last_year
    from {{ ref('int_as_of_date') }} as clock
    left join {{ ref('int_orders') }} as orders on 1 = 1

),

digits as (
    {% for digit in range(10) %}
    select {{ digit }} as digit {{ 'union all' if not loop.last }}
    {%- endfor %}
),

numbers as (

    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        + 10000 * myriads.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as myriads

),

calendar as (

    select
        cast({{ dbt.dateadd('day', 'numbers.day_number', 'bounds.first_day') }} as date)
            as date_day
    from bounds
    inner join numbers
        on numbers.day_number < {{ dbt.datediff(
            'bounds.first_day', dbt.dateadd('year', 1, 'bounds.last_year'), 'day'
        ) }}

),

parts as (

    select
        date_day,
        cast(extract(year from date_day) as integer) as year,
        cast(extract(quarter from date_day) as integer) as quarter,
        cast(extract(month from date_day) as integer) as month,
        {{ dbt.datediff("cast('1900-01-01' as date)", 'date_day', 'day') }}
            as days_since_a_monday
    from calendar

),

final as (

    select
        date_day,
        year,
        quarter,
        month,
        case month
            {% for name in months %}
            when {{ loop.index }} then '{{ name }}'
            {% endfor %}
        end as month_name,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
        cast(1 + mod(days_since_a_monday, 7) as integer) as day_of_week,
        case 1 + mod(days_since_a_monday, 7)
            {% for name in days %}
            when {{ loop.index }} then '{{ name }}'
            {% endfor %}
        end as day_name,
        mod(days_since_a_monday, 7) >= 5 as is_weekend
    from parts

)

select * from final
