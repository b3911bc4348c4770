select
    line_number as line_id,
    order_number as order_id,
    customer as customer_id,
    ordered_at,
    sku as product_id,
    quantity,
    unit_price,
    line_type,
    returned_order as original_order_id,
    loaded_at
from {{ source('raw', 'lines') }}
