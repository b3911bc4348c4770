with movements as (

    select * from {{ ref('int_segment_movements') }}
    where not is_warm_up and movement <> 'first_month'

),

earlier as (

    select
        months.month_end_date,
        history.customer_id,
        history.monetary
    from {{ ref('int_customer_history') }} as history
    inner join {{ ref('int_history_months') }} as months
        on history.month_end_date = months.previous_month_end_date

),

segments as (

    select * from {{ ref('int_segments') }}

),

counted as (

    select
        movements.month_end_date,
        movements.segmentation,
        movements.previous_segment_id as from_segment_id,
        movements.segment_id as to_segment_id,
        movements.movement as cause,
        count(*) as customer_count,
        {{ money('sum(coalesce(earlier.monetary, 0))') }} as revenue_before,
        {{ money('sum(movements.monetary)') }} as revenue_after
    from movements
    left join earlier
        on movements.customer_id = earlier.customer_id
        and movements.month_end_date = earlier.month_end_date
    group by
        movements.month_end_date, movements.segmentation,
        movements.previous_segment_id, movements.segment_id, movements.movement

),

final as (

    select
        counted.month_end_date,
        counted.segmentation,
        coalesce(counted.from_segment_id, 'none') as from_segment_id,
        from_segments.segment_name as from_segment_name,
        counted.to_segment_id,
        to_segments.segment_name as to_segment_name,
        counted.cause,
        cast(counted.customer_count as integer) as customer_count,
        {{ ratio(
            'counted.customer_count',
            'sum(counted.customer_count) over (partition by counted.month_end_date,'
            ~ ' counted.segmentation, counted.from_segment_id)'
        ) }} as share_of_from_segment,
        counted.revenue_before,
        counted.revenue_after
    from counted
    left join segments as from_segments
        on counted.from_segment_id = from_segments.segment_id
    left join segments as to_segments
        on counted.to_segment_id = to_segments.segment_id

)

select * from final
