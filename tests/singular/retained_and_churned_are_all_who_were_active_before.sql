-- As near as six digits allow, and the interval holds the rate.
with final as (

    select *
    from {{ ref('rpt_retention') }}
    where
        retained_count > active_before_count
        or active_before_count > customer_count
        or repeat_customer_count > customer_count
        or abs(retention_rate + churn_rate - 1) > 0.0000015
        or retention_rate not between retention_rate_lower and retention_rate_upper
        or (status = 'ok') <> (retention_rate is not null)

)

select * from final
