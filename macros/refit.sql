{#- When a model is fitted anew, and how far customers have drifted from those it was
    fitted on. -#}

{#- A hash of what the configuration says of a segmentation: another one is another model. -#}
{% macro segmentation_hash(name) -%}
    {% set segmentation = segmentations()[name] %}
    {% set count = (var('cluster_count') or segmentation.cluster_count) | string %}
    {{ return(local_md5(tojson([
        segmentation, var('algorithm') or segmentation.algorithm, count,
        var('training_sample_size'), var('random_seed'),
        var('fees'), var('returns'), var('duplicate_lines'),
    ] + ([var('rfm_window_months')] if var('rfm_window_months') else []),
        sort_keys=true))) }}
{%- endmacro %}

{#- The same of the RFM cut points. -#}
{% macro rfm_hash() -%}
    {{ return(local_md5(tojson([
        var('minimum_customers'), var('churn_horizon_days') | string,
        var('fees'), var('returns'), var('duplicate_lines'), var('zero_prices'),
    ] + ([var('rfm_window_months')] if var('rfm_window_months') else [])))) }}
{%- endmacro %}

{#- What a bin adds to the population stability index; no share counts as less than
    0.0001, as the logarithm of 0 is not finite. Null where there is nobody now. -#}
{% macro stability_term(share_now, share_then) -%}
    case
        when {{ share_now }} is not null and {{ share_then }} is not null
            then cast({{ rounded(
                '(greatest(' ~ share_now ~ ', 0.0001) - greatest(' ~ share_then
                ~ ', 0.0001)) * ln(greatest(' ~ share_now ~ ', 0.0001) / greatest('
                ~ share_then ~ ', 0.0001))',
                9
            ) }} as decimal(18, 9))
    end
{%- endmacro %}

{#- The index that two samples of the same customers exceed by chance once in twenty
    times: it is distributed about like (1/n + 1/m) chi-squared with one degree of
    freedom less than bins (Yurdakul 2018), whose quantile is that of Wilson and
    Hilferty (1931). Null with less than two bins. -#}
{% macro stability_by_chance(bins, customers_now, customers_then) -%}
    case
        when {{ bins }} > 1
            then {{ rounded(
                '(1e0 / ' ~ customers_now ~ ' + 1e0 / ' ~ customers_then ~ ') * ('
                ~ bins ~ ' - 1) * power(1 - 2e0 / (9 * (' ~ bins
                ~ ' - 1)) + 1.644854 * sqrt(2e0 / (9 * (' ~ bins ~ ' - 1))), 3)',
                6
            ) }}
    end
{%- endmacro %}

{#- How many of drift_values are in each of bins, as CTEs named counted and totals.
    A level that has no bin counts as other; missing is bin 0. -#}
{% macro bin_counts() -%}
levelled as (

    select
        drift_values.segmentation,
        drift_values.feature,
        drift_values.number_value,
        case
            when drift_values.text_value is not null
                then coalesce(bins.level, '(other)')
        end as level
    from drift_values
    left join bins
        on drift_values.segmentation = bins.segmentation
        and drift_values.feature = bins.feature
        and drift_values.text_value = bins.level

),

counted as (

    select
        bins.segmentation,
        bins.feature,
        bins.bin_number,
        count(*) as customers
    from levelled
    inner join bins
        on levelled.segmentation = bins.segmentation
        and levelled.feature = bins.feature
        and case
            when levelled.level is not null then coalesce(levelled.level = bins.level, false)
            when levelled.number_value is null then bins.bin_number = 0
            else bins.bin_number > 0
                and levelled.number_value > coalesce(bins.lower, -1e308)
                and levelled.number_value <= coalesce(bins.upper, 1e308)
        end
    group by bins.segmentation, bins.feature, bins.bin_number

),

totals as (

    select
        segmentation,
        feature,
        count(*) as customers
    from drift_values
    group by segmentation, feature

)
{%- endmacro %}

{#- A number as people write it: to a hundredth, small ones to four digits. -#}
{% macro number_in_words(number) -%}
    case
        when abs({{ number }}) < 1 and {{ number }} <> 0
            then cast(cast({{ rounded(number, 4) }} as decimal(38, 4)) as {{ dbt.type_string() }})
        else cast(cast({{ rounded(number, 2) }} as decimal(38, 2)) as {{ dbt.type_string() }})
    end
{%- endmacro %}

{#- A share as a percentage to a tenth. -#}
{% macro percentage(share) -%}
    concat(cast(
        cast({{ rounded('100 * ' ~ share, 1) }} as decimal(9, 1)) as {{ dbt.type_string() }}
    ), ' %')
{%- endmacro %}

{#- The decision in words; of int_refit_decisions. -#}
{% macro refit_reason() -%}
    {%- set text = dbt.type_string() -%}
    {%- set version -%}
        cast(version_in_force as {{ text }})
    {%- endset -%}
    {%- set latest -%}
        cast(latest_version as {{ text }})
    {%- endset -%}
    {%- set index -%}
        cast(cast({{ rounded('drift', 2) }} as decimal(9, 2)) as {{ text }})
    {%- endset -%}
    case cause
        when 'past_date' then concat(
            'version ', {{ version }}, ' was in force then, and version ', {{ latest }},
            ' is of a later date: a past date is rebuilt'
        )
        when 'never' then case
            when latest_version is null
                then 'nothing is published, and refit_policy is never: build once with auto'
            else concat('refit_policy is never, so version ', {{ version }}, ' goes on')
        end
        when 'first' then 'first version'
        when 'configuration'
            then concat('the configuration changed since version ', {{ latest }})
        when 'always' then concat('the data changed since version ', {{ latest }})
        when 'drift' then concat(
            worst_feature, ' has drifted since version ', {{ latest }},
            ': its stability index is ', {{ index }},
            ', above the limit of {{ var('refit_drift_limit') }}'
        )
        when 'age' then concat(
            'version ', {{ latest }}, ' was ', cast(age_days as {{ text }}),
            ' days old, more than the {{ var('refit_after_days') }} allowed'
        )
        else concat(
            'version ', {{ version }}, ' holds: ',
            case drift_status
                when 'known' then concat(
                    'the largest stability index is ', {{ index }}, ', of ', worst_feature
                )
                when 'no_training_facts'
                    then 'its drift is unknown, as it was published without training facts'
                else 'there are no customers to see a drift in'
            end,
            case
                when age_days is null then ''
                else concat('; it is ', cast(age_days as {{ text }}), ' days old')
            end
        )
    end
{%- endmacro %}

{#- Why a model has its status, in words; of rpt_model_health. -#}
{% macro health_reason() -%}
    {%- set text = dbt.type_string() -%}
    {%- set days -%}
        concat('fitted on data of ', cast(age_days as {{ text }}), ' days ago')
    {%- endset -%}
    {%- set index -%}
        cast(cast({{ rounded('feature_drift', 2) }} as decimal(9, 2)) as {{ text }})
    {%- endset -%}
    {%- set segments -%}
        cast(cast({{ rounded('segment_drift', 2) }} as decimal(9, 2)) as {{ text }})
    {%- endset -%}
    case
        when status = 'no_model'
            then case
                when cause = 'never' then decision_reason
                else coalesce(evidence_reason, 'too few customers for cut points')
            end
        when status in ('rebuilt', 'no_training_facts') then decision_reason
        when status = 'too_old' then {{ days }}
        else concat(
            case
                when feature_drift is null then 'there are no customers to see a drift in'
                else concat(worst_feature, ' has a stability index of ', {{ index }})
            end,
            case
                when largest_movement is null then ''
                else concat(' (', largest_movement, ')')
            end,
            case
                when segment_drift is null then ''
                else concat(', the segments of ', {{ segments }})
            end,
            case when age_days is null then '' else concat('; ', {{ days }}) end
        )
    end
{%- endmacro %}

{#- What to do about a model's status. -#}
{% macro health_advice() -%}
    case
        when status = 'healthy' then 'Nothing.'
        when status = 'ageing'
            then 'Nothing yet: look at rpt_feature_drift, and expect a refit.'
        when status = 'rebuilt' then 'Nothing: this is a past date.'
        when status = 'no_model' and cause = 'never'
            then 'Build once with refit_policy auto.'
        when status = 'no_model'
            then 'See rpt_segment_candidates; what stands in is in dim_segmentations.'
        when status = 'no_training_facts'
            then 'Build once with refit_policy always, or wait for the next refit.'
        when cause = 'never' then 'Build once with refit_policy auto or always.'
        when is_decided
            then 'No fit was usable, or it came out the same: see rpt_segment_candidates.'
        else 'Build again; refit_drift_limit and refit_after_days say when it is too late.'
    end
{%- endmacro %}
