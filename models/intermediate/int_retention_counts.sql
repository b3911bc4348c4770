-- Who came back, counted for each group and for each segment of today, with the horizon
-- and the days since the first order of all.
with history as (

    select
        horizon.churn_horizon_days as horizon_days,
        clock.as_of_date,
        min(orders.order_date) as first_order_date
    from {{ ref('int_orders') }} as orders
    cross join {{ ref('int_as_of_date') }} as clock
    cross join {{ ref('int_churn_horizon') }} as horizon
    group by horizon.churn_horizon_days, clock.as_of_date

),

customers as (

    select * from {{ ref('int_customer_retention') }}

),

groups as (

    select
        group_kind,
        group_name as group_id,
        cast(null as {{ dbt.type_string() }}) as segmentation,
        customer_id
    from {{ ref('int_customer_groups') }}
    union all
    select
        'segment' as group_kind,
        segment_id as group_id,
        segmentation,
        customer_id
    from {{ ref('int_customer_segments') }}

),

counts as (

    select
        {%- for column, condition in {
            'repeat_customer_count': 'is_repeat_customer',
            'active_before_count': 'is_active_before',
            'retained_count': 'is_retained',
        }.items() %}
        sum(case when customers.{{ condition }} then 1 else 0 end)
            as {{ column }},
        {%- endfor %}
        count(*) as customer_count,
        groups.group_kind,
        groups.group_id,
        groups.segmentation
    from groups
    inner join customers on groups.customer_id = customers.customer_id
    group by groups.group_kind, groups.group_id, groups.segmentation

),

final as (

    select
        counts.group_kind,
        counts.group_id,
        counts.segmentation,
        {%- for column in [
            'customer_count', 'repeat_customer_count', 'active_before_count',
            'retained_count',
        ] %}
        cast(counts.{{ column }} as integer) as {{ column }},
        {%- endfor %}
        history.horizon_days,
        history.as_of_date,
        cast({{ dbt.datediff(
            'history.first_order_date', 'history.as_of_date', 'day'
        ) }} as integer) as history_days
    from counts
    cross join history

)

select * from final
