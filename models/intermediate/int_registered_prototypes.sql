-- The published versions, for the fit to match its segments to. What is not enabled
-- today is left alone: its segments are not retired.
select * from {{ source('registry', 'segment_prototypes') }}
where
    segmentation in (
        {%- for name in segmentations() %}
        '{{ name }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
