-- The first reason that keeps a row out, null for a row that is used. Which of equal
-- rows is kept does not depend on their order in the file.
with lines as (

    select * from {{ ref('base_order_lines') }}

),

rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by line_key, content_hash
            order by
                loaded_at desc nulls last, source_line asc nulls last, source_row asc
        ) as occurrence,
        first_value(content_hash) over (
            partition by line_key order by loaded_at desc nulls last, content_hash desc
        ) as latest_content_hash
    from lines

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
