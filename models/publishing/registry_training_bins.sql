-- The training facts of all versions, as the registry will be once this build is
-- published.
{% set columns = registry_tables()['training_bins'] -%}
with registered as (

    select * from {{ source('registry', 'training_bins') }}

),

candidates as (

    select * from {{ ref('int_training_bins') }}

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
