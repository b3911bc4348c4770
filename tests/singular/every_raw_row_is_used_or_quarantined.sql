{{ config(group='segmentation') }}

-- A table that the input makes up from another one (Online Retail's customers) has no
-- rows of its own to count.
with measures as (

    select * from {{ ref('rpt_data_quality') }}

),

physical as (

    select * from {{ ref('input_physical_rows') }}

),

accounted as (

    select
        source_table,
        sum(case when measure = 'physical' then row_count else 0 end)
            as reported_physical_rows,
        sum(case when measure in ('used', 'quarantined') then row_count else 0 end)
            as accounted_rows
    from measures
    group by source_table

),

final as (

    select
        physical.source_table,
        physical.row_count,
        accounted.reported_physical_rows,
        accounted.accounted_rows
    from physical
    left join accounted on physical.source_table = accounted.source_table
    where
        physical.row_count <> coalesce(accounted.reported_physical_rows, -1)
        or physical.row_count <> coalesce(accounted.accounted_rows, -1)

)

select * from final
