{{ physical_rows_of('template__raw_order_lines', 'order_lines') }}
union all
{{ physical_rows_of('template__raw_customers', 'customers') }}
