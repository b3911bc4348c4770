{{ physical_rows_of('mall_customers__raw_customers', 'customers') }}
