-- The pairs of repeat purchases and observed days that any customer has: as many as the
-- days and purchases in the data allow, however many customers there be.
with final as (

    select distinct
        repeat_count,
        observed_days
    from {{ ref('int_snapshot_customers') }}
    where snapshot_number = 0

)

select * from final
