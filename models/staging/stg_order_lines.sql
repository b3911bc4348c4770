with lines as (

    select * from {{ ref('base_order_lines_judged') }}

),

clock as (

    select * from {{ ref('base_last_plausible_day') }}

),

converted as (

    select
        lines.*,
        {{ money('cast(unit_price as decimal(38, 4)) * rate') }}
            as converted_unit_price,
        {{ money('cast(coalesce(discount_amount, 0) as decimal(38, 4)) * rate') }}
            as converted_discount_amount
    from lines
    cross join clock
    where
        lines.quarantine_reason is null
        and lines.ordered_on <= clock.last_plausible_day

),

final as (

    select
        -- ids
        case
            when occurrence = 1 then line_key
            else concat(line_key, '#', cast(occurrence as {{ dbt.type_string() }}))
        end as line_id,
        order_id,
        customer_id,
        product_id,
        original_order_id,
        -- strings
        line_type,
        channel,
        -- numerics
        signed_quantity as quantity,
        converted_unit_price as unit_price,
        converted_discount_amount as discount_amount,
        {{ money('cast(unit_cost as decimal(38, 4)) * rate') }} as unit_cost,
        {{ money(
            'cast(signed_quantity as decimal(38, 4)) * converted_unit_price'
            ~ ' - sign(signed_quantity) * converted_discount_amount'
        ) }} as net_amount,
        -- booleans
        customer_id is null as is_guest,
        -- dates
        ordered_at,
        ordered_on as order_date
    from converted

)

select * from final
