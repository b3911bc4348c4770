-- The evidence of all versions, as the registry will be once this build is published.
{% set columns = registry_tables()['segment_candidates'] %}
{% set own = ['model_version', 'cluster_count'] -%}
with registered as (

    select * from {{ source('registry', 'segment_candidates') }}

),

versions as (

    select distinct
        segmentation,
        model_version
    from {{ ref('int_described_versions') }}
    where segmentation <> 'rfm'

),

candidates as (

    select
        versions.model_version,
        {%- for column in columns if column not in own %}
        measured.{{ column }},
        {%- endfor %}
        -- a key is never null
        coalesce(measured.cluster_count, 0) as cluster_count
    from {{ ref('ml_segmentation_candidates') }} as measured
    inner join versions on measured.segmentation = versions.segmentation

),

known as (

    select distinct
        segmentation,
        model_version
    from registered

),

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
