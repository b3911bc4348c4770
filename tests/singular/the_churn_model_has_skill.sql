{{ config(group='segmentation', severity='warn') }}

-- Without skill churn_probability is null. Look at rpt_churn_validation: more history
-- or another churn_horizon_days may help.
select
    model,
    verdict
from {{ ref('rpt_churn_validation') }}
where is_chosen and measure = 'auc' and status = 'no_skill'
