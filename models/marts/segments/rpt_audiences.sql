with assigned as (

    select * from {{ ref('int_audience_assignments') }}

),

final as (

    select
        audience_id,
        max(group_id) as group_id,
        max(group_name) as group_name,
        max(action) as action,
        max(channel) as channel,
        cast(count(*) as integer) as customer_count,
        cast(sum(case when is_contactable then 1 else 0 end) as integer)
            as contactable_customer_count,
        cast(sum(case when is_paused then 1 else 0 end) as integer)
            as paused_customer_count,
        {%- for group in ['treatment', 'control', 'universal_control'] %}
        cast(sum(case when assignment = '{{ group }}' then 1 else 0 end) as integer)
            as {{ group }}_count,
        {%- endfor %}
        max(control_share) as control_share,
        max(base_rate) as base_rate,
        max(detectable_lift) as detectable_lift,
        max(can_be_measured) as can_be_measured,
        max(measurement_status) as measurement_status,
        max(is_consent_known) as is_consent_known,
        max(uplift) as uplift,
        max(uplift_status) as uplift_status,
        {{ money("sum(case when assignment = 'treatment' then expected_value end)") }}
            as expected_worth,
        {{ money("sum(case when assignment = 'treatment' then offer_cost end)") }}
            as cost
    from assigned
    group by audience_id

)

select * from final
