-- The codes that are no goods, and why, are in docs/decisions/0006.
with raw_lines as (

    select
        *,
        upper(trim(cast(invoice_no as {{ dbt.type_string() }}))) as invoice,
        upper(trim(cast(stock_code as {{ dbt.type_string() }}))) as product
    from {{ ref('online_retail__raw_lines') }}

),

final as (

    select
        -- a row has no id of its own: equal rows get equal ids, whatever their order
        md5(concat_ws(
            '|',
            {%- for column in [
                'invoice_no', 'stock_code', 'description', 'quantity', 'invoice_date',
                'unit_price', 'customer_id', 'country',
            ] %}
            coalesce(cast({{ column }} as {{ dbt.type_string() }}), '')
            {{- ',' if not loop.last }}
            {%- endfor %}
        )) as line_id,
        invoice as order_id,
        customer_id,
        invoice_date as ordered_at,
        product as product_id,
        quantity,
        unit_price,
        case
            when invoice like 'A%' or product = 'B' or product like 'GIFT_%'
                then 'adjustment'
            when product in (
                'POST', 'DOT', 'C2', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'S'
            ) then 'fee'
        end as line_type,
        delivery_number,
        source_file,
        source_line,
        source_row,
        reject_reason
    from raw_lines

)

select * from final
