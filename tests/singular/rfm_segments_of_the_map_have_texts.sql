-- And a condition of the map says which segment it is otherwise.
with map as (

    select * from {{ ref('rfm_segment_map') }}

),

names as (

    select segment_name from map
    union distinct
    select otherwise as segment_name from map
    where otherwise is not null

),

texts as (

    select * from {{ ref('rfm_segments') }}

),

final as (

    select
        names.segment_name,
        'has no texts in rfm_segments' as fault
    from names
    left join texts on names.segment_name = texts.segment_name
    where
        texts.description is null
        or texts.action is null
        or texts.how is null
        or texts.colour is null
    union all
    select
        cast(rfm_code as {{ dbt.type_string() }}) as segment_name,
        'has a condition but no segment otherwise' as fault
    from map
    where
        (needs_new_customer or min_orders is not null)
        and otherwise is null

)

select * from final
