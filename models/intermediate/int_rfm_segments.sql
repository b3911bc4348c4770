-- The segment of each score code, under the conditions that keep its name true.
{% if has('order_lines') -%}
with customers as (

    select * from {{ ref('int_customer_rfm') }}

),

scores as (

    select
        *,
        100 * recency_score + 10 * frequency_score + monetary_score as rfm_code
    from {{ ref('int_rfm_scores') }}

),

map as (

    select * from {{ ref('rfm_segment_map') }}

),

final as (

    select
        scores.customer_id,
        scores.rfm_model_version,
        scores.rfm_status,
        cast(scores.recency_score as integer) as recency_score,
        cast(scores.frequency_score as integer) as frequency_score,
        cast(scores.monetary_score as integer) as monetary_score,
        cast(scores.rfm_code as integer) as rfm_code,
        {{ rfm_segment('map', 'customers') }} as rfm_segment
    from scores
    inner join customers on scores.customer_id = customers.customer_id
    left join map on scores.rfm_code = map.rfm_code

)
{%- else -%}
with final as (

    select
        customer_id,
        cast(null as integer) as rfm_model_version,
        'no_orders' as rfm_status,
        {%- for column in [
            'recency_score', 'frequency_score', 'monetary_score', 'rfm_code',
        ] %}
        cast(null as integer) as {{ column }},
        {%- endfor %}
        cast(null as {{ dbt.type_string() }}) as rfm_segment
    from {{ ref('int_customer_rfm') }}

)
{%- endif %}

select * from final
