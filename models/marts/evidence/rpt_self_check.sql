-- It reads the marts of movement and actions as a reader does.
{% set figures = self_check_figures() %}
with filters as (

    select * from {{ ref('int_self_check_filters') }}

),

groups as (

    select
        members.is_in_segment,
        members.is_in_country,
        {%- for column, condition in {
            'buying_count': 'customers.frequency > 0',
            'repeat_count': 'customers.frequency > 1',
            'lapsed_count': "customers.lifecycle_state = 'lapsed'",
            'high_value_at_risk_count': 'customers.is_high_value_at_risk',
            'contactable_count': "audiences.assignment <> 'not_contactable'",
            'treatment_count': "audiences.assignment = 'treatment'",
        }.items() %}
        sum(case when {{ condition }} then 1 end) as {{ column }},
        {%- endfor %}
        {%- for column, amount in {
            'recency_days': 'customers.recency_days',
            'purchase_count': 'customers.frequency',
            'net_spend': 'customers.monetary',
            'lifetime_value': 'customers.lifetime_value',
            'value_if_retained': 'customers.value_if_retained',
            'value_at_risk': 'customers.value_at_risk',
            'churn_probability': 'cast(customers.churn_probability as decimal(24, 6))',
            'audience_worth':
                "case when audiences.assignment = 'treatment'"
                ~ ' then audiences.expected_value end',
        }.items() %}
        sum({{ amount }}) as {{ column }},
        {%- endfor %}
        count(customers.lifetime_value) as valued_count,
        count(customers.churn_probability) as judged_count,
        count(*) as customer_count
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('int_self_check_customers') }} as members
        on customers.customer_id = members.customer_id
    inner join {{ ref('fct_audiences') }} as audiences
        on customers.customer_id = audiences.customer_id
    group by members.is_in_segment, members.is_in_country

),

customers as (

    select
        filters.filter_number,
        {%- for column in [
            'customer_count', 'valued_count', 'judged_count', 'buying_count',
            'repeat_count', 'lapsed_count', 'high_value_at_risk_count',
            'contactable_count', 'treatment_count', 'recency_days', 'purchase_count',
            'net_spend', 'lifetime_value', 'value_if_retained', 'value_at_risk',
            'churn_probability', 'audience_worth',
        ] %}
        sum(case
            when filters.segment_id is null or groups.is_in_segment
                then groups.{{ column }}
        end) as {{ column }},
        {%- endfor %}
        sum(groups.customer_count) as customer_count_of_all_segments,
        sum(groups.net_spend) as net_spend_of_all_segments
    from filters
    inner join groups on filters.country is null or groups.is_in_country
    group by filters.filter_number

),

actions as (

    select
        sum(case when is_best_action then reachable_customer_count end)
            as reachable_count,
        sum(case when is_within_budget then net_worth end) as worth,
        sum(case when is_within_budget then cost end) as cost
    from {{ ref('rpt_recommendations') }}
    where segmentation = 'next_action'

),

audiences as (

    select sum(case when can_be_measured then 1 end) as measurable_count
    from {{ ref('rpt_audiences') }}

),

attribute_groups as (

    select
        members.is_in_segment,
        members.is_in_country,
        count(attributes.number_value) as value_count,
        sum(cast(attributes.number_value as decimal(28, 6))) as value
    from {{ ref('fct_customer_attributes') }} as attributes
    inner join {{ ref('int_self_check_customers') }} as members
        on attributes.customer_id = members.customer_id
    group by members.is_in_segment, members.is_in_country

),

attributes as (

    select
        filters.filter_number,
        {{ ratio('sum(groups.value)', 'sum(groups.value_count)') }} as mean_value
    from filters
    cross join attribute_groups as groups
    where {{ passes_self_check('filters', 'groups') }}
    group by filters.filter_number

),

profiles as (

    select
        filters.filter_number,
        {{ exact_mean('profiles.index_against_all') }} as mean_index,
        {{ exact_mean('profiles.effect_size') }} as mean_effect_size
    from filters
    inner join {{ ref('rpt_segment_profiles') }} as profiles
        on filters.shown_segmentation = profiles.segmentation
        and coalesce(filters.segment_id = profiles.segment_id, true)
    group by filters.filter_number

),

candidates as (

    select
        filters.filter_number,
        {{ exact_mean('candidates.silhouette') }} as silhouette,
        {{ exact_mean('candidates.stability') }} as stability,
        {{ exact_mean('candidates.inertia') }} as inertia
    from filters
    inner join {{ ref('rpt_segment_candidates') }} as candidates
        on filters.shown_segmentation = candidates.segmentation
    group by filters.filter_number

),

features as (

    select
        filters.filter_number,
        sum(cast(features.contribution as decimal(18, 6))) as contribution
    from filters
    inner join {{ ref('rpt_segmentation_features') }} as features
        on filters.shown_segmentation = features.segmentation
    group by filters.filter_number

),

drift as (

    select
        filters.filter_number,
        max(drift.psi) as psi
    from filters
    inner join {{ ref('rpt_feature_drift') }} as drift
        on coalesce(filters.segmentation = drift.segmentation, true)
    group by filters.filter_number

),

quality as (

    select
        sum(row_count) as row_count,
        {{ ratio(
            "sum(case when measure = 'used' then row_count end)",
            "sum(case when measure = 'physical' then row_count end)",
        ) }} as used_share
    from {{ ref('rpt_data_quality') }}

),

{% if has('order_lines') -%}
orders as (

    select * from {{ ref('int_self_check_orders') }}

),

month_filters as (

    select
        filters.*,
        orders.from_date,
        orders.until_date
    from filters
    inner join orders on filters.filter_number = orders.filter_number

),

states as (

    select
        months.month_end_date,
        members.is_in_segment,
        members.is_in_country,
        count(*) as customer_count,
        sum(case when months.lifecycle_state = 'reactivated' then 1 end)
            as reactivated_count
    from {{ ref('fct_customer_months') }} as months
    inner join {{ ref('int_self_check_customers') }} as members
        on months.customer_id = members.customer_id
    group by months.month_end_date, members.is_in_segment, members.is_in_country

),

chosen_states as (

    select
        filters.filter_number,
        states.month_end_date,
        states.reactivated_count,
        max(states.month_end_date) over (partition by filters.filter_number)
            as last_month_end_date
    from month_filters as filters
    inner join states
        on filters.from_date <= states.month_end_date
        and filters.until_date > states.month_end_date
    where {{ passes_self_check('filters', 'states') }}

),

reactivated as (

    select
        filter_number,
        sum(reactivated_count) as customer_count
    from chosen_states
    where month_end_date = last_month_end_date
    group by filter_number

),

chosen_trends as (

    select
        filters.filter_number,
        filters.segment_id as chosen_segment_id,
        trends.*,
        max(trends.month_end_date) over (partition by filters.filter_number)
            as last_month_end_date
    from month_filters as filters
    inner join {{ ref('rpt_segment_trends') }} as trends
        on filters.shown_segmentation = trends.segmentation
        and filters.from_date <= trends.month_end_date
        and filters.until_date > trends.month_end_date

),

trends as (

    select
        filter_number,
        sum(case
            when month_end_date = last_month_end_date then customer_count
        end) as customer_count,
        sum(revenue) as revenue
    from chosen_trends
    where coalesce(chosen_segment_id = segment_id, true)
    group by filter_number

),

moves as (

    select
        filters.filter_number,
        sum(moves.customer_count) as customer_count,
        sum(case
            when
                moves.cause <> 'stayed'
                and coalesce(filters.segment_id = moves.to_segment_id, true)
                then moves.customer_count
        end) as in_count,
        sum(case
            when
                moves.cause not in ('stayed', 'entered')
                and coalesce(filters.segment_id = moves.from_segment_id, true)
                then moves.customer_count
        end) as out_count
    from month_filters as filters
    inner join {{ ref('rpt_segment_migration') }} as moves
        on filters.shown_segmentation = moves.segmentation
        and filters.from_date <= moves.month_end_date
        and filters.until_date > moves.month_end_date
    group by filters.filter_number

),

cohorts as (

    select
        filters.filter_number,
        {{ ratio(
            'sum(cohorts.active_customer_count)', 'sum(cohorts.customer_count)'
        ) }} as retention_rate
    from month_filters as filters
    inner join {{ ref('rpt_cohort_retention') }} as cohorts
        on cohorts.is_complete
        and coalesce(filters.first_date <= cohorts.cohort_month, true)
        and coalesce(filters.last_date >= cohorts.cohort_month, true)
    group by filters.filter_number

),

second_purchase as (

    select max(share_with_second_purchase) as share
    from {{ ref('rpt_second_purchase') }}
    where group_kind = 'all'

),

campaigns as (

    select
        sum(lift / power(lift_upper - lift_lower, 2))
        / sum(1 / power(lift_upper - lift_lower, 2)) as lift,
        sum(lift * treatment_count) as additional_count
    from {{ ref('rpt_campaign_lift') }}
    where status = 'ok'

),

spend_deciles as (

    select
        {{ exact_mean('predicted') }} as predicted,
        {{ exact_mean('actual') }} as actual
    from {{ ref('rpt_value_validation') }}
    where model = 'expected_value' and measure = 'decile'

),

churn_deciles as (

    select
        {{ exact_mean('predicted') }} as predicted,
        {{ exact_mean('estimate') }} as actual
    from {{ ref('rpt_churn_validation') }}
    where is_chosen and measure = 'calibration'

),

{% endif -%}
measures as (
    {% for measure in figures %}
    select
        {{ loop.index }} as measure_number,
        '{{ measure }}' as measure
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

expected as (

    select
        filters.*,
        measures.measure_number,
        measures.measure,
        case measures.measure
            {%- for measure, figure in figures.items() %}
            when '{{ measure }}' then cast({{ figure }} as double)
            {%- endfor %}
        end as expected_value
    from filters
    cross join measures
    cross join actions
    cross join audiences
    cross join quality
    {% for name in [
        'customers', 'attributes', 'profiles', 'candidates', 'features', 'drift',
    ] -%}
    left join {{ name }} on filters.filter_number = {{ name }}.filter_number
    {% endfor -%}
    {% if has('order_lines') -%}
    cross join second_purchase
    cross join campaigns
    cross join spend_deciles
    cross join churn_deciles
    {% for name in ['orders', 'reactivated', 'trends', 'moves', 'cohorts'] -%}
    left join {{ name }} on filters.filter_number = {{ name }}.filter_number
    {% endfor -%}
    {% endif %}
),

final as (

    select
        cast(100 * filter_number + measure_number as integer) as check_number,
        measure,
        filters,
        segmentation,
        segment_id,
        segment_name,
        country,
        first_date,
        last_date,
        {{ rounded('expected_value', 6) }} as expected_value
    from expected

)

select * from final
