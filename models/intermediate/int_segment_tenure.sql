-- Since how many month ends customers have been in their segment of the primary
-- segmentation, and where they were before.
with movements as (

    select * from {{ ref('int_segment_movements') }}
    where segmentation = '{{ primary_segmentation() }}'

),

last_changes as (

    select
        customer_id,
        max(month_end_date) as last_month_end_date,
        max_by(segment_id, month_end_date) as last_segment_id,
        max(case when movement <> 'stayed' then month_end_date end)
            as changed_month_end_date
    from movements
    group by customer_id

),

assigned as (

    select * from {{ ref('int_customer_segments') }}
    where segmentation = '{{ primary_segmentation() }}'

),

final as (

    select
        assigned.customer_id,
        case
            when last_changes.last_segment_id = assigned.segment_id
                then changes.previous_segment_id
            else last_changes.last_segment_id
        end as previous_segment_id,
        case
            when last_changes.last_segment_id = assigned.segment_id
                then cast({{ months_between(
                    'last_changes.changed_month_end_date',
                    'last_changes.last_month_end_date'
                ) }} + 1 as integer)
            else 0
        end as months_in_segment
    from assigned
    inner join last_changes on assigned.customer_id = last_changes.customer_id
    left join movements as changes
        on last_changes.customer_id = changes.customer_id
        and last_changes.changed_month_end_date = changes.month_end_date

)

select * from final
