-- The first reason that keeps a row out, null for a row that is used. Which of equal
-- rows is kept does not depend on their order in the file. A row is judged together
-- with all of its id: a delivery has those judged anew whose ids it brings.
with lines as (

    select * from {{ ref('base_order_lines') }}
    {% if is_continued() %}where {{ has_new_version() }}{% endif %}

),

rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

rated as (

    select
        lines.*,
        case
            when lines.currency <> '{{ reporting_currency() }}' then rates.rate
            else 1
        end as rate
    from lines
    left join rates
        on lines.currency = rates.currency
        and lines.ordered_on >= rates.valid_from
        and lines.ordered_on < rates.valid_to

),

faulted as (

    select
        *,
        case
            when reject_reason is not null then reject_reason
            when order_id is null then 'missing_order_id'
            when not {{ matches('customer_id', input_settings().customer_id_pattern) }}
                then 'malformed_customer_id'
            when ordered_at_text is null then 'missing_date'
            when ordered_at is null then 'invalid_date'
            -- the empty dates of many systems: year 1, 1899, 1900, 1970
            when ordered_on < cast('{{ var("earliest_plausible_date") }}' as date)
                then 'implausible_past_date'
            when quantity is null then 'invalid_quantity'
            when quantity = 0 then 'zero_quantity'
            when unit_price is null then 'invalid_price'
            {%- if var('zero_prices') == 'exclude' %}
            when unit_price = 0 then 'zero_price'
            {%- endif %}
            when unit_price < 0 then 'negative_price'
            when
                line_type not in ('sale', 'return', 'cancellation', 'fee', 'adjustment')
                then 'unknown_line_type'
            when line_type = 'sale' and quantity < 0 then 'negative_quantity_on_sale'
            when
                discount_amount_text is not null and discount_amount is null
                or discount_amount < 0
                then 'invalid_discount'
            when rate is null then 'no_exchange_rate'
            -- a barcode in the column of quantities
            when
                abs(cast(quantity as double)) * cast(unit_price as double)
                * greatest(cast(rate as double), 1) >= 1e12
                then 'implausible_amount'
            when
                cast(discount_amount as double)
                > abs(cast(quantity as double)) * cast(unit_price as double) + 0.00005
                then 'discount_above_amount'
        end as fault
    from rated

),

-- few ids come twice: only their rows are sorted
repeated_keys as (

    select line_key
    from faulted
    where fault is null
    group by line_key
    having count(*) > 1

),

ranked as (

    select
        faulted.*,
        row_number() over (
            partition by faulted.line_key
            order by
                faulted.loaded_at desc nulls last, faulted.content_hash desc,
                faulted.source_line asc nulls last, faulted.source_row asc,
                faulted.source_file asc
        ) as occurrence,
        first_value(faulted.content_hash) over (
            partition by faulted.line_key
            order by faulted.loaded_at desc nulls last, faulted.content_hash desc
        ) as latest_content_hash
    from faulted
    inner join repeated_keys on faulted.line_key = repeated_keys.line_key
    where faulted.fault is null
    union all
    select
        faulted.*,
        1 as occurrence,
        faulted.content_hash as latest_content_hash
    from faulted
    left join repeated_keys on faulted.line_key = repeated_keys.line_key
    where repeated_keys.line_key is null or faulted.fault is not null

),

final as (

    select
        *,
        cast({{ current_delivery() }} as bigint) as changed_in,
        case
            when fault is not null then fault
            when content_hash <> latest_content_hash then 'superseded_line'
            {%- if var('duplicate_lines') == 'drop' %}
            when occurrence > 1 then 'duplicate_line'
            {%- endif %}
        end as quarantine_reason
    from ranked

)

select * from final
