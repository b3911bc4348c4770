-- The registry as it will be once this build is published.
with registered as (

    select * from {{ source('registry', 'segment_prototypes') }}

),

candidates as (

    select
        prototypes.*,
        segments.segment_name,
        segments.persona
    from {{ ref('ml_segment_prototypes') }} as prototypes
    inner join {{ ref('int_segments') }} as segments
        on prototypes.segmentation = segments.segmentation
        and prototypes.segment_id = segments.segment_id

),

known as (

    select distinct
        segmentation,
        model_version
    from registered

),

{% set columns = registry_tables()['segment_prototypes'] -%}
final as (

    select {{ columns | list | join(', ') }} from registered
    union all
    select
    {%- for column, type in columns.items() %}
        cast(candidates.{{ column }} as {{ type }}) as {{ column }}
    {{- ',' if not loop.last }}
    {%- endfor %}
    from candidates
    left join known
        on candidates.segmentation = known.segmentation
        and candidates.model_version = known.model_version
    where known.model_version is null

)

select * from final
