-- A bounded sample of the customers that each segmentation is about, the same in any
-- row order: by hash below a threshold, so that no engine sorts all customers, then by
-- hash order.
with features as (

    select
        *,
        {{ hash_fraction('customer_id') }} as hash_order
    from {{ ref('int_customer_features') }}

),

eligible as (
    {% for name, segmentation in segmentations().items() %}
    select
        '{{ name }}' as segmentation,
        *
    from features
    {% if has('order_lines') %}
    where purchase_count >= {{ segmentation.get('minimum_purchases', 1) }}
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

sizes as (

    select
        segmentation,
        count(*) as customer_count
    from eligible
    group by segmentation

),

thinned as (

    select eligible.*
    from eligible
    inner join sizes on eligible.segmentation = sizes.segmentation
    where
        eligible.hash_order * sizes.customer_count
        <= 1.2 * {{ var('training_sample_size') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation order by hash_order, customer_id
        ) as sample_rank
    from thinned

),

final as (

    select
        {%- for feature in customer_features() %}
        {{ feature }},
        {%- endfor %}
        segmentation,
        cast(sample_rank as integer) as sample_rank,
        customer_id
    from ranked
    where sample_rank <= {{ var('training_sample_size') }}

)

select * from final
