-- Each segment's customers by each feature, against all customers of the segmentation.
{% set features = customer_features() %}
with customers as (

    select * from {{ ref('int_customer_features') }}

),

assigned as (

    select * from {{ ref('int_customer_segments') }}
    where status = 'assigned'

),

long_features as (
    {% for feature in features %}
    select
        customer_id,
        '{{ feature }}' as feature,
        {{ feature }} as feature_value
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

labels as (

    select * from {{ ref('features') }}

),

by_segment as (

    select
        assigned.segmentation,
        assigned.segment_id,
        long_features.feature,
        count(*) as segment_customers,
        {{ exact_mean('long_features.feature_value') }} as mean_value,
        round(
            percentile_cont(0.5) within group (order by long_features.feature_value), 6
        )
            as median_value
    from assigned
    inner join long_features on assigned.customer_id = long_features.customer_id
    group by assigned.segmentation, assigned.segment_id, long_features.feature

),

overall as (

    select
        feature,
        {{ exact_mean('feature_value') }} as mean_of_all,
        round(percentile_cont(0.5) within group (order by feature_value), 6)
            as median_of_all
    from long_features
    group by feature

),

revenue as (

    select
        assigned.segmentation,
        assigned.segment_id,
        {{ ratio(
            'sum(rfm.monetary)',
            'sum(sum(rfm.monetary)) over (partition by assigned.segmentation)'
        ) }} as segment_revenue_share
    from assigned
    inner join {{ ref('int_customer_rfm') }} as rfm
        on assigned.customer_id = rfm.customer_id
    group by assigned.segmentation, assigned.segment_id

),

final as (

    select
        by_segment.*,
        labels.feature_label,
        labels.unit,
        overall.mean_of_all,
        overall.median_of_all,
        {{ ratio('by_segment.mean_value', 'overall.mean_of_all') }}
            as index_against_all,
        revenue.segment_revenue_share
    from by_segment
    inner join overall on by_segment.feature = overall.feature
    inner join labels on by_segment.feature = labels.feature
    inner join revenue
        on by_segment.segmentation = revenue.segmentation
        and by_segment.segment_id = revenue.segment_id

)

select * from final
