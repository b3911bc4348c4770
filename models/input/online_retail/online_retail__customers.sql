-- The file has no customer table: a customer is an id on its lines, first seen with
-- the first invoice, in the country of that invoice (a later one must not move the
-- past).
with lines as (

    select
        customer_id,
        country,
        {{ parse_timestamp('invoice_date') }} as invoiced_at
    from {{ ref('online_retail__raw_lines') }}
    where customer_id is not null and reject_reason is null

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ parse_id('customer_id') }}
            order by invoiced_at nulls last, country, customer_id
        ) as occurrence
    from lines

),

final as (

    select
        customer_id,
        invoiced_at as signed_up_at,
        country
    from ranked
    where occurrence = 1

)

select * from final
