with segments as (

    select
        *,
        try_cast(
            nullif(regexp_extract(segment_id, '-([0-9]+)$', 1), '') as integer
        ) as last_number
    from {{ ref('int_segments') }}

),

personas as (

    select * from {{ ref('personas') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

actions as (

    select * from {{ ref('int_segment_actions') }}
    where priority = 1

),

rules as (

    select * from {{ ref('int_segment_rules') }}

),

palette as (

    select * from {{ ref('palette') }}

),

-- <segmentation>-rfm-<number> is where RFM stands in for a model, and has no number
numbered as (

    select
        *,
        case
            when segment_id not like '%-rfm-%' then last_number
        end as segment_number
    from segments

),

final as (

    select
        numbered.segmentation,
        numbered.segment_id,
        numbered.segment_name,
        numbered.segment_number,
        numbered.persona,
        coalesce(rfm_segments.description, personas.description) as description,
        rules.rule_text,
        rules.rule_sql,
        rules.rule_precision,
        rules.rule_recall,
        rules.rule_f1,
        actions.action,
        actions.how,
        actions.channel,
        actions.kpi,
        coalesce(rfm_segments.colour, palette.colour) as colour,
        numbered.status,
        numbered.parent_segment_id,
        cast(numbered.model_version as integer) as model_version
    from numbered
    left join rfm_segments
        on numbered.persona = 'rfm'
        and numbered.last_number = rfm_segments.segment_number
    left join personas
        on personas.segmentation in (numbered.segmentation, 'any')
        and numbered.persona = personas.persona
    left join actions
        on numbered.segmentation = actions.segmentation
        and numbered.segment_id = actions.segment_id
    left join rules on numbered.segment_id = rules.segment_id
    left join palette
        on case
            when coalesce(numbered.segment_number, 0) = 0 then 0
            else 1 + mod(numbered.segment_number - 1, 12)
        end = palette.position

)

select * from final
