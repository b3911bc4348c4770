-- The version by which customers are labelled in each segmentation, null where there is
-- no model.
with clusterings as (

    select
        segmentation,
        max(model_version) as model_version
    from {{ ref('ml_segment_prototypes') }}
    group by segmentation

),

names as (
    {% for name in segmentations() %}
    select '{{ name }}' as segmentation
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select
        names.segmentation,
        cast(clusterings.model_version as integer) as model_version
    from names
    left join clusterings on names.segmentation = clusterings.segmentation
    union all
    select
        'rfm' as segmentation,
        cast(max(model_version) as integer) as model_version
    from {{ ref('int_rfm_model') }}

)

select * from final
