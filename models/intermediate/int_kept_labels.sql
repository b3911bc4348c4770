-- The segments of customers at the end of closed months as they were published, under
-- the policies of today.
select * from {{ source('registry', 'customer_segment_months') }}
where
    policy_hash = '{{ history_policy_hash() }}'
    and segmentation in (
        {%- for name in segmentations() %}
        '{{ name }}',
        {%- endfor %}
        'rfm'
    )
