{{ config(group='segmentation') }}

with cohorts as (

    select
        cohort_month,
        min(month_number) as first_number,
        max(month_number) as last_number,
        count(*) as month_count,
        sum(case when is_complete then 0 else 1 end) as incomplete_count
    from {{ ref('rpt_cohort_retention') }}
    group by cohort_month

),

final as (

    select cohorts.*
    from cohorts
    cross join {{ ref('int_as_of_date') }} as clock
    where
        cohorts.first_number <> 0
        or cohorts.month_count <> cohorts.last_number + 1
        or cohorts.incomplete_count > 1
        or cohorts.last_number <> {{ dbt.datediff(
            'cohorts.cohort_month', dbt.dateadd('day', -1, 'clock.as_of_date'), 'month'
        ) }}

)

select * from final
