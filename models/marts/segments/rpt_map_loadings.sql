with loadings as (

    select * from {{ ref('ml_map_loadings') }}

),

final as (

    select
        segmentation,
        cast(component as integer) as component,
        feature,
        case when level is null then feature else concat(feature, '=', level) end
            as feature_level,
        cast(loading as double) as loading,
        cast(explained_variance_ratio as double) as explained_variance_share
    from loadings

)

select * from final
