-- Each segment's rule with how good it is on all customers, not only on those it was
-- found on: a customer is named by a rule whose every condition holds.
with conditions as (

    select * from {{ ref('ml_segment_rules') }}

),

long_features as (

    select * from {{ ref('int_long_features') }}

),

assigned as (

    select * from {{ ref('int_segment_assignments') }}
    where status = 'assigned'

),

rules as (

    select
        segmentation,
        segment_id,
        rule_text,
        rule_sql,
        count(condition_number) as condition_count
    from conditions
    group by segmentation, segment_id, rule_text, rule_sql

),

held as (

    select
        conditions.segmentation,
        conditions.segment_id,
        long_features.customer_id,
        count(*) as held_count
    from conditions
    inner join long_features
        on conditions.feature = long_features.feature
        and conditions.level is not distinct from long_features.level
    where
        case conditions.comparison
            when 'at_most' then long_features.feature_value <= conditions.threshold
            when 'more_than' then long_features.feature_value > conditions.threshold
            when 'is' then long_features.feature_value = 1
            when 'is_not' then long_features.feature_value = 0
        end
    group by conditions.segmentation, conditions.segment_id, long_features.customer_id

),

named as (

    select
        rules.segmentation,
        rules.segment_id,
        held.customer_id
    from rules
    inner join held
        on rules.segmentation = held.segmentation
        and rules.segment_id = held.segment_id
        and rules.condition_count = held.held_count

),

hits as (

    select
        named.segmentation,
        named.segment_id,
        count(*) as named_count,
        sum(case when assigned.segment_id = named.segment_id then 1 else 0 end)
            as hit_count
    from named
    inner join assigned
        on named.segmentation = assigned.segmentation
        and named.customer_id = assigned.customer_id
    group by named.segmentation, named.segment_id

),

sizes as (

    select
        segment_id,
        count(*) as customer_count
    from assigned
    group by segment_id

),

judged as (

    select
        rules.*,
        {{ ratio('coalesce(hits.hit_count, 0)', 'hits.named_count') }}
            as rule_precision,
        {{ ratio('coalesce(hits.hit_count, 0)', 'sizes.customer_count') }}
            as rule_recall,
        {{ ratio(
            '2 * coalesce(hits.hit_count, 0)',
            'coalesce(hits.named_count, 0) + sizes.customer_count'
        ) }} as rule_f1
    from rules
    left join hits
        on rules.segmentation = hits.segmentation
        and rules.segment_id = hits.segment_id
    left join sizes on rules.segment_id = sizes.segment_id

),

final as (

    select
        segmentation,
        segment_id,
        case
            when condition_count = 0 then 'No short rule describes this segment'
            when rule_f1 >= 0.7 then rule_text
            else concat(
                'No short rule describes this segment (the best reaches F1 ',
                cast(cast(rule_f1 as decimal(4, 2)) as {{ dbt.type_string() }}), ')'
            )
        end as rule_text,
        case when rule_f1 >= 0.7 then rule_sql end as rule_sql,
        case when condition_count > 0 then rule_precision end as rule_precision,
        case when condition_count > 0 then rule_recall end as rule_recall,
        case when condition_count > 0 then rule_f1 end as rule_f1
    from judged

)

select * from final
