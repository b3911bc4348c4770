-- The prepared features of the customers on the map, one row each, as the model in
-- force prepares them.
with sampled as (

    select * from {{ ref('int_map_customers') }}

),

customers as (

    select * from {{ ref('int_customer_features') }}

),

parameters as (

    select
        segmentation,
        feature,
        level,
        max(transform) as transform,
        max(fill_value) as fill_value,
        max(fill_level) as fill_level,
        max(lower) as lower,
        max(upper) as upper,
        max(centring) as centring,
        max(scale) as scale
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation, feature, level

),

raw_values as (
    {% for feature, kind in customer_features().items() %}
    select
        customer_id,
        '{{ feature }}' as feature,
        {{ feature if kind == 'numeric' else 'cast(null as double)' }} as number_value,
        {{ feature if kind == 'categorical' else 'cast(null as string)' }} as text_value
    from customers
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

listed as (

    select
        segmentation,
        feature,
        level
    from parameters
    where level is not null

),

joined as (

    select
        sampled.segmentation,
        sampled.customer_id,
        parameters.feature,
        parameters.level,
        parameters.transform,
        parameters.centring,
        parameters.scale,
        greatest(
            least(
                {{ rounded(
                    'coalesce(raw_values.number_value, parameters.fill_value)', 9
                ) }},
                coalesce(parameters.upper, 1e308)
            ),
            coalesce(parameters.lower, -1e308)
        ) as number_value,
        coalesce(raw_values.text_value, parameters.fill_level) as text_value,
        listed.level as own_level
    from sampled
    inner join parameters on sampled.segmentation = parameters.segmentation
    inner join raw_values
        on sampled.customer_id = raw_values.customer_id
        and parameters.feature = raw_values.feature
    left join listed
        on parameters.segmentation = listed.segmentation
        and parameters.feature = listed.feature
        and coalesce(raw_values.text_value, parameters.fill_level) = listed.level

),

transformed as (

    select
        segmentation,
        customer_id,
        feature,
        level,
        case
            when level is null and transform = 'log1p'
                then ln(1 + greatest(number_value, 0))
            when level is null then number_value
            when coalesce(own_level, '(other)') = level then 1
            else 0
        end as transformed_value,
        centring,
        scale
    from joined

),

final as (

    select
        segmentation,
        customer_id,
        feature,
        level,
        {{ rounded('(transformed_value - centring) / scale', 9) }} as prepared_value
    from transformed

)

select * from final
