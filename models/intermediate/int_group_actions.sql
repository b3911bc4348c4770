-- The actions that there are for each group of customers.
with segments as (

    select * from {{ ref('int_segments') }}
    where status = 'active' and persona <> 'not_segmented'

),

segment_actions as (

    select
        segments.segment_name,
        actions.*
    from {{ ref('int_segment_actions') }} as actions
    inner join segments
        on actions.segmentation = segments.segmentation
        and actions.segment_id = segments.segment_id

),

next_groups as (

    select distinct
        decided_by,
        persona,
        group_id,
        group_name
    from {{ ref('int_next_actions') }}

),
{% set columns = [
    'priority', 'action', 'how', 'channel', 'kpi', 'offer', 'offer_cost',
    'assumed_uplift', 'value_at_stake', 'max_frequency', 'do_not',
] %}
final as (

    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        segmentation,
        segment_id,
        segment_name
    from segment_actions
    union all
    select
        {%- for column in columns %}
        segment_actions.{{ column }},
        {%- endfor %}
        'next_action' as segmentation,
        segment_actions.segment_id,
        segment_actions.segment_name
    from segment_actions
    inner join next_groups on segment_actions.segment_id = next_groups.group_id
    union all
    select
        {%- for column in columns %}
        actions.{{ column }},
        {%- endfor %}
        'next_action' as segmentation,
        next_groups.group_id as segment_id,
        next_groups.group_name as segment_name
    from next_groups
    inner join {{ ref('segment_actions') }} as actions
        on next_groups.decided_by = actions.segmentation
        and next_groups.persona = actions.persona

)

select * from final
