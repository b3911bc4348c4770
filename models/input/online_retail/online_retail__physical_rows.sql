{{ physical_rows_of('online_retail__raw_lines', 'order_lines') }}
