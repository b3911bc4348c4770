-- The most recent, not those who bought longest ago, have the best recency score.
with customers as (

    select * from {{ ref('dim_customers') }}
    where rfm_status = 'scored'

),

values_in_order as (
    {% for value, score, direction in [
        ('recency_days', 'recency_score', 'desc'),
        ('frequency', 'frequency_score', 'asc'),
        ('monetary', 'monetary_score', 'asc'),
    ] %}
    select
        customer_id,
        '{{ score }}' as score_name,
        {{ score }} as score,
        lag({{ score }}) over (order by {{ value }} {{ direction }}, {{ score }} asc)
            as score_of_the_worse
    from customers
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select * from values_in_order
    where score < score_of_the_worse

)

select * from final
