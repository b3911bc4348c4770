-- The registry as it will be once this build is published.
{% set columns = registry_tables()['rfm_cut_points'] -%}
with registered as (

    select * from {{ source('registry', 'rfm_cut_points') }}

),

candidates as (

    select
        cut_points.*,
        refits.changed_by_model_share
    from {{ ref('int_rfm_model') }} as cut_points
    left join {{ ref('int_rfm_refits') }} as refits
        on cut_points.model_version = refits.model_version

),

known as (

    select distinct model_version from registered

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
    left join known on candidates.model_version = known.model_version
    where known.model_version is null

)

select * from final
