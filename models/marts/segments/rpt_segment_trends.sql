with movements as (

    select * from {{ ref('int_segment_movements') }}
    where not is_warm_up

),

changes as (

    select
        month_end_date,
        segmentation,
        segment_id,
        1 as customer_count,
        month_revenue,
        monetary,
        case when movement not in ('stayed', 'first_month') then 1 else 0 end
            as entry_count,
        case when movement = 'entered' then 1 else 0 end as new_count,
        case when movement = 'model' then 1 else 0 end as entry_by_model_count,
        0 as exit_count,
        0 as exit_by_ageing_count,
        0 as exit_by_model_count
    from movements
    union all
    select
        month_end_date,
        segmentation,
        previous_segment_id as segment_id,
        0 as customer_count,
        0 as month_revenue,
        0 as monetary,
        0 as entry_count,
        0 as new_count,
        0 as entry_by_model_count,
        1 as exit_count,
        case when movement = 'ageing' then 1 else 0 end as exit_by_ageing_count,
        case when movement = 'model' then 1 else 0 end as exit_by_model_count
    from movements
    where movement in ('purchase', 'return', 'ageing', 'model')

),

summed as (

    select
        month_end_date,
        segmentation,
        segment_id,
        {%- for measure in [
            'customer_count', 'entry_count', 'new_count', 'entry_by_model_count',
            'exit_count', 'exit_by_ageing_count', 'exit_by_model_count',
        ] %}
        cast(sum({{ measure }}) as integer) as {{ measure }},
        {%- endfor %}
        {{ money('sum(month_revenue)') }} as revenue,
        {{ money('sum(monetary)') }} as monetary
    from changes
    group by month_end_date, segmentation, segment_id

),

final as (

    select
        summed.month_end_date,
        summed.segmentation,
        summed.segment_id,
        segments.segment_name,
        summed.customer_count,
        {{ ratio(
            'summed.customer_count',
            'sum(summed.customer_count) over ('
            ~ 'partition by summed.month_end_date, summed.segmentation)'
        ) }} as customer_share,
        summed.revenue,
        summed.monetary,
        summed.entry_count,
        summed.new_count,
        summed.entry_by_model_count,
        summed.exit_count,
        summed.exit_by_ageing_count,
        summed.exit_by_model_count,
        cast(summed.entry_count - summed.exit_count as integer) as net_count
    from summed
    inner join {{ ref('int_segments') }} as segments
        on summed.segment_id = segments.segment_id

)

select * from final
