-- Every row of the input typed, with what a later step needs to judge it. Nothing is
-- dropped here.
with lines as (

    select * from {{ ref('input_order_lines') }}
    {% if is_continued() %}where delivery_number > {{ last_delivery() }}{% endif %}

),

typed as (

    select
        {{ parse_id('line_id') }} as given_line_id,
        {{ parse_id('order_id') }} as order_id,
        {{ parse_id('customer_id') }} as customer_id,
        {{ parse_id('product_id') }} as product_id,
        {{ parse_id('original_order_id') }} as original_order_id,
        lower({{ parse_text('line_type') }}) as given_line_type,
        lower({{ parse_text('channel') }}) as channel,
        coalesce(
            {{ currency_code('currency') }}, '{{ input_settings().currency | upper }}'
        ) as currency,
        {{ parse_amount('quantity') }} as quantity,
        {{ parse_amount('unit_price') }} as unit_price,
        {{ parse_amount('discount_amount') }} as discount_amount,
        {{ parse_amount('unit_cost') }} as unit_cost,
        {{ parse_text('ordered_at') }} as ordered_at_text,
        {{ parse_text('discount_amount') }} as discount_amount_text,
        {{ parse_timestamp('ordered_at') }} as ordered_at,
        {{ parse_timestamp('loaded_at') }} as loaded_at,
        cast(delivery_number as bigint) as delivery_number,
        cast(source_file as {{ dbt.type_string() }}) as source_file,
        cast(source_line as bigint) as source_line,
        {{ row_as_text('order_lines') }} as source_row,
        cast(reject_reason as {{ dbt.type_string() }}) as reject_reason
    from lines

),

described as (

    select
        *,
        case
            when given_line_type in ('return', 'cancellation') then -abs(quantity)
            else quantity
        end as signed_quantity,
        coalesce(
            given_line_type, case when quantity < 0 then 'return' else 'sale' end
        ) as line_type,
        md5(concat_ws(
            '|',
            {%- for column in [
                'given_line_id', 'order_id', 'customer_id', 'product_id',
                'original_order_id', 'given_line_type', 'channel', 'currency',
                'ordered_at_text',
            ] %}
            coalesce({{ column }}, ''),
            {%- endfor %}
            {%- for column in [
                'quantity', 'unit_price', 'discount_amount', 'unit_cost',
            ] %}
            coalesce(cast({{ column }} as {{ dbt.type_string() }}), '')
            {{- ',' if not loop.last }}
            {%- endfor %}
        )) as content_hash
    from typed

),

final as (

    select
        *,
        coalesce(given_line_id, content_hash) as line_key,
        cast(ordered_at as date) as ordered_on
    from described

)

select * from final
