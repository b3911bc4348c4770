-- Beyond the churn horizon too, as its cap depends on recency alone.
with customers as (

    select * from {{ ref('dim_customers') }}
    where rfm_status = 'scored'

),

final as (
    {% for value, score in [
        ('recency_days', 'recency_score'),
        ('frequency', 'frequency_score'),
        ('monetary', 'monetary_score'),
    ] %}
    select
        '{{ value }}' as metric,
        cast({{ value }} as {{ dbt.type_string() }}) as metric_value,
        min({{ score }}) as lowest_score,
        max({{ score }}) as highest_score
    from customers
    group by {{ value }}
    having min({{ score }}) <> max({{ score }}) or count({{ score }}) < count(*)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
