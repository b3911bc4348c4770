{{ physical_rows_of('credit_card__raw_customers', 'customers') }}
