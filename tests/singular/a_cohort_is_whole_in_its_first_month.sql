with final as (

    select *
    from {{ ref('rpt_cohort_retention') }}
    where
        active_customer_count > customer_count
        or (month_number = 0 and active_customer_count <> customer_count)
        or (month_number = 0 and cumulative_revenue <> revenue)

)

select * from final
