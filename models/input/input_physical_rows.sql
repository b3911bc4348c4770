with counted as (

    {{ count_physical_rows() }}

),

final as (

    select
        source_table,
        cast(row_count as bigint) as row_count
    from counted

)

select * from final
