-- The first reason that keeps a row out, null for a row that is used. Which of equal
-- rows is kept does not depend on their order in the file.
with lines as (

    select * from {{ ref('base_order_lines') }}

),

rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

-- few ids come twice: only their rows are sorted
repeated_keys as (

    select line_key
    from lines
    group by line_key
    having count(*) > 1

),

ranked as (

    select
        lines.*,
        row_number() over (
            partition by lines.line_key
            order by
                lines.loaded_at desc nulls last, lines.content_hash desc,
                lines.source_line asc nulls last
        ) as occurrence,
        first_value(lines.content_hash) over (
            partition by lines.line_key
            order by lines.loaded_at desc nulls last, lines.content_hash desc
        ) as latest_content_hash
    from lines
    inner join repeated_keys on lines.line_key = repeated_keys.line_key
    union all
    select
        lines.*,
        1 as occurrence,
        lines.content_hash as latest_content_hash
    from lines
    left join repeated_keys on lines.line_key = repeated_keys.line_key
    where repeated_keys.line_key is null

),

rated as (

    select
        ranked.*,
        case
            when ranked.currency <> '{{ reporting_currency() }}' then rates.rate
            else 1
        end as rate
    from ranked
    left join rates
        on ranked.currency = rates.currency
        and ranked.ordered_on >= rates.valid_from
        and ranked.ordered_on < rates.valid_to

),

judged as (

    select
        *,
        case
            when reject_reason is not null then reject_reason
            when order_id is null then 'missing_order_id'
            when not {{ matches('customer_id', input_settings().customer_id_pattern) }}
                then 'malformed_customer_id'
            when ordered_at_text is null then 'missing_date'
            when ordered_at is null then 'invalid_date'
            when quantity is null then 'invalid_quantity'
            when quantity = 0 then 'zero_quantity'
            when unit_price is null then 'invalid_price'
            when unit_price = 0 then 'zero_price'
            when unit_price < 0 then 'negative_price'
            when
                line_type not in ('sale', 'return', 'cancellation', 'fee', 'adjustment')
                then 'unknown_line_type'
            when line_type = 'sale' and quantity < 0 then 'negative_quantity_on_sale'
            when
                discount_amount_text is not null and discount_amount is null
                or discount_amount < 0
                then 'invalid_discount'
            when discount_amount > abs(quantity) * unit_price
                then 'discount_above_amount'
            when rate is null then 'no_exchange_rate'
            when content_hash <> latest_content_hash then 'superseded_line'
            {%- if var('duplicate_lines') == 'drop' %}
            when occurrence > 1 then 'duplicate_line'
            {%- endif %}
        end as quarantine_reason
    from rated

)

select * from judged
