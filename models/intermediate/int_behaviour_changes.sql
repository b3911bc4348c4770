-- How many customers changed segment in the last month by what they did, or did not do,
-- both month ends seen by one model. No rows where there are no orders.
{% if has('order_lines') -%}
with movements as (

    select * from {{ ref('int_segment_movements') }}
    where previous_segment_id_by_this_model is not null

),

last_month as (

    select max(month_end_date) as month_end_date
    from {{ ref('int_history_months') }}

),

final as (

    select
        movements.segmentation,
        {{ ratio(
            'sum(case when movements.previous_segment_id_by_this_model'
            ~ ' <> movements.segment_id then 1 else 0 end)',
            'count(*)'
        ) }} as changed_by_behaviour_share
    from movements
    inner join last_month on movements.month_end_date = last_month.month_end_date
    group by movements.segmentation

)
{%- else -%}
with final as (

    select
        cast(null as {{ dbt.type_string() }}) as segmentation,
        cast(null as double) as changed_by_behaviour_share
    where 1 = 0

)
{%- endif %}

select * from final
