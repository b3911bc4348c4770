-- Today's values of the features that models are made of, of sampled customers: those
-- of the training sample, and for RFM about as many by the same hash.
{% set text = dbt.type_string() %}
with sample as (

    select * from {{ ref('int_training_sample') }}

),
{% if has('order_lines') %}
purchasers as (

    select
        customer_id,
        recency_days,
        rfm_frequency as frequency,
        rfm_monetary as monetary,
        {{ hash_fraction('customer_id') }} as hash_order
    from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

size as (

    select count(*) as customer_count from purchasers

),

ranked_customers as (

    select purchasers.*
    from purchasers
    cross join size
    where
        purchasers.hash_order * size.customer_count
        <= {{ var('training_sample_size') }}

),
{% endif %}
final as (
    {% for name, segmentation in segmentations().items() %}
    {%- set outer = loop %}
    {%- for feature in segmentation.features %}
    {%- set is_number = customer_features()[feature] == 'numeric' %}
    select
        '{{ name }}' as segmentation,
        '{{ feature }}' as feature,
        customer_id,
        {{ rounded('cast(' ~ feature ~ ' as double)', 9) if is_number
            else 'cast(null as double)' }} as number_value,
        cast({{ 'null' if is_number else feature }} as {{ text }}) as text_value
    from sample
    where segmentation = '{{ name }}'
    {{ 'union all' if has('order_lines') or not (loop.last and outer.last) }}
    {% endfor %}
    {%- endfor %}
    {% if has('order_lines') %}
    {% for feature in ['recency_days', 'frequency', 'monetary'] %}
    select
        'rfm' as segmentation,
        '{{ feature }}' as feature,
        customer_id,
        {{ rounded('cast(' ~ feature ~ ' as double)', 9) }} as number_value,
        cast(null as {{ text }}) as text_value
    from ranked_customers
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {% endif %}
)

select * from final
