with segments as (

    select * from {{ ref('dim_segments') }}
    where status = 'active' and persona <> 'not_segmented'

),

summary as (

    select * from {{ ref('rpt_segment_summary') }}

),

assigned as (

    select * from {{ ref('int_customer_segments') }}

),

consents as (

    select
        {% for channel in ['email', 'sms', 'post', 'phone'] %}
        sum(case when customers.has_consent_{{ channel }} then 1 else 0 end)
            as {{ channel }}_count,
        sum(count(customers.has_consent_{{ channel }})) over () as {{ channel }}_known,
        {% endfor %}
        assigned.segmentation,
        assigned.segment_id
    from assigned
    left join {{ ref('stg_customers') }} as customers
        on assigned.customer_id = customers.customer_id
    group by assigned.segmentation, assigned.segment_id

),

final as (

    select
        segments.segmentation,
        segments.segment_id,
        segments.segment_name,
        segments.action,
        segments.how,
        segments.channel,
        segments.kpi,
        summary.customer_count,
        -- an input without consents does not know who is reachable
        cast(case
            {%- for channel in ['email', 'sms', 'post', 'phone'] %}
            when segments.channel = '{{ channel }}' and consents.{{ channel }}_known > 0
                then consents.{{ channel }}_count
            {%- endfor %}
        end as integer) as reachable_customer_count,
        summary.revenue,
        summary.revenue_share,
        cast(row_number() over (
            partition by segments.segmentation
            order by summary.revenue desc, segments.segment_id asc
        ) as integer) as revenue_rank
    from segments
    inner join summary
        on segments.segmentation = summary.segmentation
        and segments.segment_id = summary.segment_id
    left join consents
        on segments.segmentation = consents.segmentation
        and segments.segment_id = consents.segment_id
    where summary.customer_count > 0

)

select * from final
