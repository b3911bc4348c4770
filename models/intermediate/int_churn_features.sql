-- What the churn models look at, for every customer; segmentation.churn makes the same
-- of the sample. The logarithm of 1 and more, and the log odds of a purchase.
with customers as (

    select * from {{ ref('int_snapshot_customers') }}
    where snapshot_number = 0

),

estimates as (

    select
        *,
        case when purchase_probability < 1e-9 then 1e-9 else purchase_probability end
            as floored_probability
    from {{ ref('int_customer_values') }}

),

logged as (

    select
        customers.customer_id,
        ln(1 + customers.recency_days) as recency_days,
        ln(1 + customers.frequency) as frequency,
        ln(1 + greatest(cast(customers.monetary as double), 0)) as monetary,
        ln(1 + customers.observed_days) as tenure_days,
        {{ clipped(
            'ln(estimates.floored_probability / '
            ~ 'greatest(1 - estimates.floored_probability, 1e-9))', 12
        ) }} as purchase_logit,
        ln(1 + customers.recent_event_count) as recent_event_count,
        estimates.alive_probability,
        estimates.purchase_probability,
        estimates.usual_purchase_probability
    from customers
    inner join estimates on customers.customer_id = estimates.customer_id

),

-- so that a leaf of a tree begins at the same value on every engine
final as (

    select
        {%- for feature in churn_features() %}
        {{ rounded(feature, 9) }} as {{ feature }},
        {%- endfor %}
        customer_id,
        alive_probability,
        purchase_probability,
        usual_purchase_probability
    from logged

)

select * from final
