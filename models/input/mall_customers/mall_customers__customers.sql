select
    -- 0001 and 1 are one customer in the copies of this file
    {{ regexp_replace(parse_text('customer_id'), '^0+([0-9])', 1) }} as customer_id,
    gender,
    age,
    annual_income,
    spending_score,
    source_line,
    source_row,
    reject_reason
from {{ ref('mall_customers__raw_customers') }}
