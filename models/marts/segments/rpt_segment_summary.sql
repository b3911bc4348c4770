with segments as (

    select * from {{ ref('dim_segments') }}
    where status = 'active'

),

assigned as (

    select * from {{ ref('int_customer_segments') }}

),

rfm as (

    select * from {{ ref('int_customer_rfm') }}

),

lifecycle as (

    select * from {{ ref('int_lifecycle_states') }}

),

by_segment as (

    select
        assigned.segmentation,
        assigned.segment_id,
        count(*) as customer_count,
        sum(case
            when lifecycle.lifecycle_state in ({{ live_states() }}) then 1
            else 0
        end) as live_customer_count,
        sum(case when lifecycle.lifecycle_state = 'lapsed' then 1 else 0 end)
            as lapsed_customer_count,
        sum(rfm.frequency) as order_count,
        sum(rfm.monetary) as revenue,
        sum(rfm.order_net_amount) as order_net_amount,
        {{ exact_mean('rfm.recency_days') }} as mean_recency_days,
        {{ money(known_value('sum(outlook.lifetime_value)')) }} as lifetime_value,
        {{ money(known_value('sum(outlook.value_at_risk)')) }} as value_at_risk,
        cast({{ known_value(exact_mean('outlook.churn_probability')) }} as double)
            as mean_churn_probability
    from assigned
    inner join rfm on assigned.customer_id = rfm.customer_id
    inner join lifecycle on assigned.customer_id = lifecycle.customer_id
    {% if has('order_lines') -%}
    left join {{ ref('int_customer_outlook') }} as outlook
        on assigned.customer_id = outlook.customer_id
    {% endif -%}
    group by assigned.segmentation, assigned.segment_id

),

counted as (

    select
        segments.segmentation,
        segments.segment_id,
        segments.segment_name,
        coalesce(by_segment.customer_count, 0) as customer_count,
        {{ zero_or_null('by_segment.live_customer_count') }} as live_customer_count,
        {{ zero_or_null('by_segment.lapsed_customer_count') }} as lapsed_customer_count,
        {{ zero_or_null('by_segment.order_count') }} as order_count,
        {{ money(zero_or_null('by_segment.revenue')) }} as revenue,
        {{ money(zero_or_null('by_segment.order_net_amount')) }} as order_net_amount,
        by_segment.mean_recency_days,
        by_segment.lifetime_value,
        by_segment.value_at_risk,
        by_segment.mean_churn_probability
    from segments
    left join by_segment
        on segments.segmentation = by_segment.segmentation
        and segments.segment_id = by_segment.segment_id

),

final as (

    select
        segmentation,
        segment_id,
        segment_name,
        cast(customer_count as integer) as customer_count,
        {{ ratio(
            'customer_count', 'sum(customer_count) over (partition by segmentation)'
        ) }} as customer_share,
        cast(live_customer_count as integer) as live_customer_count,
        cast(lapsed_customer_count as integer) as lapsed_customer_count,
        cast(order_count as integer) as order_count,
        revenue,
        {{ ratio('revenue', 'sum(revenue) over (partition by segmentation)') }}
            as revenue_share,
        {{ money(ratio('revenue', 'customer_count', 4)) }} as revenue_per_customer,
        {{ money(ratio('order_net_amount', 'order_count', 4)) }}
            as average_order_amount,
        {{ ratio('order_count', 'customer_count') }} as mean_frequency,
        mean_recency_days,
        lifetime_value,
        value_at_risk,
        mean_churn_probability
    from counted

)

select * from final
