-- What the categories of every customer add to the squared distance from every
-- prototype; no rows where no model in force has a categorical feature.
{% set categorical = features_of_kind('categorical') %}
with customers as (

    select * from {{ ref('int_customer_features') }}

),

levels as (

    select * from {{ ref('int_level_distances') }}

),

own_levels as (
    {% for feature in categorical %}
    select
        customer_id,
        '{{ feature }}' as feature,
        {{ feature }} as level
    from customers
    {{ 'union all' if not loop.last }}
    {% else %}
    select
        customer_id,
        cast(null as {{ dbt.type_string() }}) as feature,
        cast(null as {{ dbt.type_string() }}) as level
    from customers
    where 1 = 0
    {% endfor %}
),

features as (

    select distinct
        segmentation,
        prototype_id,
        feature,
        fill_level,
        base_distance
    from levels

),

pooled as (

    select * from levels
    where level = '(other)'

),

final as (

    select
        features.segmentation,
        features.prototype_id,
        own_levels.customer_id,
        cast(sum(
            features.base_distance
            + coalesce(levels.extra_distance, pooled.extra_distance, 0)
        ) as double) as squared_distance
    from own_levels
    inner join features on own_levels.feature = features.feature
    left join levels
        on features.segmentation = levels.segmentation
        and features.prototype_id = levels.prototype_id
        and features.feature = levels.feature
        and coalesce(own_levels.level, features.fill_level) = levels.level
    left join pooled
        on features.segmentation = pooled.segmentation
        and features.prototype_id = pooled.prototype_id
        and features.feature = pooled.feature
    group by features.segmentation, features.prototype_id, own_levels.customer_id

)

select * from final
