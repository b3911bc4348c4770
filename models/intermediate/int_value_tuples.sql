-- The sampled customers by what the value model knows of them: over how many purchase
-- days they spent how much a day.
with final as (

    select
        snapshot_number,
        purchase_day_count,
        purchase_value,
        count(*) as customer_count
    from {{ ref('int_churn_sample') }}
    where purchase_day_count > 0
    group by snapshot_number, purchase_day_count, purchase_value

)

select * from final
