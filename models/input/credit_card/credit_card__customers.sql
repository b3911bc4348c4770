-- The raw columns as they are, and what they say in proportion.
with customers as (

    {{ read_data_file() }}

),

holders as (

    select
        customer_id,
        {%- for column in [
            'balance',
            'balance_frequency',
            'purchases',
            'oneoff_purchases',
            'installments_purchases',
            'cash_advance',
            'purchases_frequency',
            'oneoff_purchases_frequency',
            'purchases_installments_frequency',
            'cash_advance_frequency',
            'cash_advance_trx',
            'purchases_trx',
            'credit_limit',
            'payments',
            'minimum_payments',
            'prc_full_payment',
            'tenure',
        ] %}
        {{ parse_number(column) }} as {{ column }},
        {%- endfor %}
        source_file,
        source_line,
        line_count,
        source_row,
        reject_reason
    from customers

),

final as (

    select
        *,
        -- without purchases there is no share of them
        coalesce(oneoff_purchases / nullif(purchases, 0), 0) as oneoff_share,
        coalesce(installments_purchases / nullif(purchases, 0), 0) as installment_share,
        cash_advance / nullif(cash_advance + purchases, 0) as cash_advance_share,
        balance / nullif(credit_limit, 0) as balance_to_limit,
        payments / nullif(minimum_payments, 0) as payments_to_minimum,
        purchases / nullif(tenure, 0) as monthly_purchases,
        oneoff_purchases / nullif(tenure, 0) as monthly_oneoff_purchases,
        installments_purchases / nullif(tenure, 0) as monthly_installments_purchases,
        cash_advance / nullif(tenure, 0) as monthly_cash_advance
    from holders

)

select * from final
