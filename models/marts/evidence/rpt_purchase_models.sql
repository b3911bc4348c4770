with parameters as (

    select * from {{ ref('ml_purchase_models') }}
    where snapshot_number = 0

),

horizon as (

    select * from {{ ref('int_churn_horizon') }}

),

final as (

    select
        parameters.model,
        parameters.parameter,
        cast(parameters.estimate as double) as estimate,
        cast(parameters.standard_error as double) as standard_error,
        cast(parameters.lower as double) as lower,
        cast(parameters.upper as double) as upper,
        cast(parameters.log_likelihood as double) as log_likelihood,
        cast(parameters.customer_count as integer) as customer_count,
        parameters.status,
        parameters.reason,
        horizon.churn_horizon_days,
        {% if var('churn_horizon_days') == 'auto' -%}
        case
            when horizon.churn_horizon_days is null
                then 'Nobody has bought on a second day: no horizon'
            else concat(
                '9 of 10 of the ',
                cast(horizon.interval_count as {{ dbt.type_string() }}),
                ' pauses between purchase days are no longer'
            )
        end
        {%- else -%}
        'As configured'
        {%- endif %} as churn_horizon_reason
    from parameters
    cross join horizon

)

select * from final
