{% set relation = var('exchange_rates') %}
with rates as (
    {% if relation %}
    select
        {{ currency_code('currency') }} as currency,
        cast(rate_date as date) as valid_from,
        cast(rate as decimal(18, 8)) as rate
    from {{ relation }}
    {% else %}
    select
        cast(null as {{ dbt.type_string() }}) as currency,
        cast(null as date) as valid_from,
        cast(null as decimal(18, 8)) as rate
    where 1 = 0
    {% endif %}
),

final as (

    select
        currency,
        valid_from,
        rate,
        coalesce(
            lead(valid_from) over (partition by currency order by valid_from),
            cast('9999-12-31' as date)
        ) as valid_to
    from rates

)

select * from final
