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

actions as (

    select * from {{ ref('segment_actions') }}
    where segmentation = 'rfm' and priority = 1

),

final as (

    select
        names.segment_name,
        'has no texts in rfm_segments' as fault
    from names
    left join texts on names.segment_name = texts.segment_name
    where texts.description is null or texts.colour is null
    union all
    select
        texts.segment_name,
        'has no first action in segment_actions' as fault
    from texts
    left join actions on texts.segment_name = actions.persona
    where actions.action is null or actions.how is null
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
