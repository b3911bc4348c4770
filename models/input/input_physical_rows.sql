select
    source_table,
    cast(row_count as bigint) as row_count
from {{ input_model('physical_rows') }}
