{%- set z = 1.959963984540054 -%}  {#- 95 % of a normal distribution -#}
with segments as (

    select * from {{ ref('dim_segments') }}

),

-- what was not observed for both horizons is not known
counts as (

    select
        *,
        {%- for column in ['active_before_count', 'retained_count'] %}
        case when history_days >= 2 * horizon_days then {{ column }} end
            as known_{{ column }},
        {%- endfor %}
        case
            when history_days < 2 * horizon_days then 'history_too_short'
            when horizon_days is null or active_before_count < 30
                then 'insufficient_data'
            else 'ok'
        end as status
    from {{ ref('int_retention_counts') }}

),

-- the 95 % interval of Wilson (1927): middle and half width, as a share
rates as (

    select
        *,
        case when status = 'ok' then active_before_count end as base_count,
        (retained_count + {{ z ** 2 / 2 }}e0) / (active_before_count + {{ z ** 2 }}e0)
            as middle,
        {{ z }}e0 * sqrt(
            cast(retained_count as double) * (active_before_count - retained_count)
            / nullif(active_before_count, 0) + {{ z ** 2 / 4 }}e0
        ) / (active_before_count + {{ z ** 2 }}e0) as half_width
    from counts

),

final as (

    select
        rates.group_kind,
        rates.group_id,
        rates.segmentation,
        coalesce(segments.segment_name, rates.group_id) as group_name,
        rates.customer_count,
        rates.repeat_customer_count,
        {{ ratio('rates.repeat_customer_count', 'rates.customer_count') }}
            as repeat_rate,
        rates.known_active_before_count as active_before_count,
        rates.known_retained_count as retained_count,
        {{ ratio('rates.retained_count', 'rates.base_count') }} as retention_rate,
        {{ ratio(
            '(rates.base_count - rates.retained_count)', 'rates.base_count'
        ) }} as churn_rate,
        case
            when rates.status = 'ok'
                then {{ rounded('greatest(rates.middle - rates.half_width, 0e0)', 6) }}
        end as retention_rate_lower,
        case
            when rates.status = 'ok'
                then {{ rounded('least(rates.middle + rates.half_width, 1e0)', 6) }}
        end as retention_rate_upper,
        rates.horizon_days,
        cast(rates.as_of_date as date) as as_of_date,
        rates.status
    from rates
    left join segments
        on rates.group_kind = 'segment' and rates.group_id = segments.segment_id

)

select * from final
