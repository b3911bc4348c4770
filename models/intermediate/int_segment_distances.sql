-- How far every customer is from every segment, in the prepared space of the model in
-- force: the nearest prototype of each segment counts.
with features as (

    select * from {{ ref('int_customer_features') }}

),

prototypes as (

    select * from {{ ref('ml_segment_prototypes') }}

),
{% for name, segmentation in var('segmentations').items() %}
{{ name }}_prototypes as (

    select
        prototype_id,
        segment_id
        {%- for feature in segmentation.features %}
        {%- for parameter in ['centring', 'scale', 'centre'] %},
        max(case when feature = '{{ feature }}' then {{ parameter }} end)
            as {{ feature }}_{{ parameter }}
        {%- endfor %}
        {%- endfor %}
    from prototypes
    where segmentation = '{{ name }}'
    group by prototype_id, segment_id

),

{{ name }}_distances as (

    select
        features.customer_id,
        prototype.segment_id,
        prototype.prototype_id,
        round(sqrt(
            {%- for feature, preparation in segmentation.features.items() %}
            {{ '+ ' if not loop.first }}power(
                {{ prepared(feature, preparation) }} - {{ feature }}_centre, 2
            )
            {%- endfor %}
        ), 9) as distance
    from features
    cross join {{ name }}_prototypes as prototype

),
{% endfor %}
distances as (
    {% for name in var('segmentations') %}
    select '{{ name }}' as segmentation, * from {{ name }}_distances
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select
        segmentation,
        customer_id,
        segment_id,
        min(prototype_id) as prototype_id,
        min(distance) as distance
    from distances
    group by segmentation, customer_id, segment_id

)

select * from final
