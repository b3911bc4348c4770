{{ config(group='segmentation', severity='warn') }}

-- A strong season or a change of business since then is not in the past that the model
-- knows: take totals of lifetime value with care, and see rpt_value_validation.
select
    measure,
    verdict
from {{ ref('rpt_value_validation') }}
where
    model = 'expected_value'
    and (
        measure = 'total_ratio' and (estimate < 0.5 or estimate > 2)
        or measure = 'grade' and estimate < 0
    )
