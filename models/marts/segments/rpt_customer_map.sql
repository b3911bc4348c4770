-- The map's places are sums of products, in decimals, so that no order of them shows.
with sampled as (

    select * from {{ ref('int_map_customers') }}

),

prepared as (

    select * from {{ ref('int_prepared_features') }}

),

loadings as (

    select * from {{ ref('ml_map_loadings') }}

),

placed as (

    select
        {%- for component in [1, 2] %}
        cast(
            sum(case
                when loadings.component = {{ component }}
                    then cast(
                        (prepared.prepared_value - loadings.centring) * loadings.loading
                        as decimal(24, 12)
                    )
                else 0
            end) as double
        ) as component_{{ component }},
        {%- endfor %}
        sampled.segmentation,
        sampled.customer_id
    from sampled
    inner join prepared
        on sampled.segmentation = prepared.segmentation
        and sampled.customer_id = prepared.customer_id
    inner join loadings
        on prepared.segmentation = loadings.segmentation
        and prepared.feature = loadings.feature
        and prepared.level is not distinct from loadings.level
    group by sampled.segmentation, sampled.customer_id

),

final as (

    select
        placed.segmentation,
        placed.customer_id,
        sampled.segment_id,
        round(placed.component_1, 6) as component_1,
        round(placed.component_2, 6) as component_2
    from placed
    inner join sampled
        on placed.segmentation = sampled.segmentation
        and placed.customer_id = sampled.customer_id

)

select * from final
