-- The conditions under which a segment is a persona, one row a condition.
with personas as (

    select * from {{ ref('personas') }}

),

conditions as (

    select * from {{ ref('persona_conditions') }}

),

final as (

    select
        personas.segmentation,
        personas.persona,
        personas.segment_name,
        personas.priority,
        conditions.feature,
        conditions.minimum_index,
        conditions.maximum_index
    from personas
    inner join conditions
        on personas.segmentation = conditions.segmentation
        and personas.persona = conditions.persona

)

select * from final
