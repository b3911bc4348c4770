with validation as (

    select * from {{ ref('ml_value_validation') }}

),

final as (

    select
        model,
        measure,
        cast(coalesce(bin, 0) as integer) as bin,
        cast(estimate as double) as estimate,
        cast(lower as double) as lower,
        cast(upper as double) as upper,
        cast(predicted as double) as predicted,
        cast(actual as double) as actual,
        cast(customer_count as integer) as customer_count,
        status,
        verdict
    from validation

)

select * from final
