-- The file has no orders: what a customer bought on a day is one. A row's price is that
-- of all its CDs, and stays whole: a third of it may be no number of cents.
with final as (

    select
        concat(master_id, '-', purchase_date) as order_id,
        master_id as customer_id,
        purchase_date as ordered_at,
        'CDs' as product_id,
        '1' as quantity,
        dollars as unit_price,
        delivery_number,
        source_file,
        source_line,
        source_row,
        reject_reason
    from {{ ref('cdnow__raw_lines') }}

)

select * from final
