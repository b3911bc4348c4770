-- The sampled customers by what the purchase model knows of them.
with final as (

    select
        snapshot_number,
        repeat_count,
        span_days,
        observed_days,
        count(*) as customer_count
    from {{ ref('int_churn_sample') }}
    group by snapshot_number, repeat_count, span_days, observed_days

)

select * from final
