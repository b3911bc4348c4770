-- The evidence that each published version was chosen on.
select * from {{ source('registry', 'segment_candidates') }}
where
    segmentation in (
        {%- for name in segmentations() %}
        '{{ name }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
