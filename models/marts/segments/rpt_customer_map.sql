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

-- where a model has two features and both are numbers, they are a picture themselves
feature_pairs as (

    select
        segmentation,
        max(case when position = 1 then feature end) as feature_1,
        max(case when position = 2 then feature end) as feature_2
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation
    having max(position) = 2 and count(distinct feature) = 2 and count(level) = 0

),

final as (

    select
        placed.segmentation,
        placed.customer_id,
        sampled.segment_id,
        {{ rounded('placed.component_1', 6) }} as component_1,
        {{ rounded('placed.component_2', 6) }} as component_2,
        feature_pairs.feature_1,
        cast(first_values.feature_value as double) as value_1,
        feature_pairs.feature_2,
        cast(second_values.feature_value as double) as value_2
    from placed
    inner join sampled
        on placed.segmentation = sampled.segmentation
        and placed.customer_id = sampled.customer_id
    left join feature_pairs on placed.segmentation = feature_pairs.segmentation
    left join {{ ref('int_long_features') }} as first_values
        on placed.customer_id = first_values.customer_id
        and feature_pairs.feature_1 = first_values.feature
    left join {{ ref('int_long_features') }} as second_values
        on placed.customer_id = second_values.customer_id
        and feature_pairs.feature_2 = second_values.feature

)

select * from final
