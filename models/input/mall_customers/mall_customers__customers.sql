with customers as (

    {{ read_data_file() }}

),

final as (

    select
        * replace (
            -- 0001 and 1 are one customer in the copies of this file
            {{ regexp_replace(parse_text('customer_id'), '^0+([0-9])', 1) }}
                as customer_id
        )
    from customers

)

select * from final
