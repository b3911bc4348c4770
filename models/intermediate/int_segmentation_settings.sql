-- The configuration of every segmentation as rows, and whether it is fitted anew, for
-- the fit and for the record.
with settings as (
    {% for name, segmentation in segmentations().items() %}
    {%- set outer = loop %}
    {%- set count = (var('cluster_count') or segmentation.cluster_count) | string %}
    {%- set algorithm = var('algorithm') or segmentation.algorithm %}
    {%- for feature, given in segmentation.features.items() %}
    {%- set preparation = feature_preparation(feature, given) %}
    select
        '{{ name }}' as segmentation,
        '{{ feature }}' as feature,
        {{ loop.index }} as position,
        '{{ customer_features()[feature] }}' as kind,
        '{{ preparation.transform }}' as transform,
        '{{ preparation.scaling }}' as scaling,
        '{{ preparation.missing }}' as missing,
        {%- for share in [
            'maximum_missing_share', 'lower_quantile', 'upper_quantile',
            'maximum_correlation', 'minimum_level_share',
        ] %}
        cast({{ preparation[share] }} as double) as {{ share }},
        {%- endfor %}
        {{ 'true' if segmentation.get('check_volume') else 'false' }} as check_volume,
        '{{ algorithm }}' as algorithm,
        '{{ count }}' as cluster_count,
        {{ segmentation.minimum_cluster_count }} as minimum_cluster_count,
        {{ segmentation.maximum_cluster_count }} as maximum_cluster_count,
        {{ var('random_seed') }} as random_seed,
        -- without orders there is no RFM to fall back to
        '{{ 'none' if has('order_lines') else 'tertiles' }}' as fallback,
        '{{ segmentation_hash(name) }}' as configuration_hash
    {{ 'union all' if not (loop.last and outer.last) }}
    {%- endfor %}
    {%- endfor %}
),

final as (

    select
        settings.*,
        clock.as_of_date,
        decisions.is_refit,
        decisions.reason as refit_reason
    from settings
    inner join {{ ref('int_refit_decisions') }} as decisions
        on settings.segmentation = decisions.segmentation
    cross join {{ ref('int_as_of_date') }} as clock

)

select * from final
