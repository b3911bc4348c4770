-- A bounded sample of customers for each segmentation, the same in any row order: by
-- hash below a threshold, so that no engine sorts all customers, then by hash order.
with features as (

    select
        *,
        {{ hash_fraction('customer_id') }} as hash_order,
        count(*) over () as customer_count
    from {{ ref('int_customer_features') }}

),

thinned as (

    select *
    from features
    where hash_order * customer_count <= 1.2 * {{ var('training_sample_size') }}

),

ranked as (

    select
        *,
        row_number() over (order by hash_order, customer_id) as sample_rank
    from thinned

),

final as (
    {% for name, segmentation in var('segmentations').items() %}
    select
        '{{ name }}' as segmentation,
        cast(sample_rank as integer) as sample_rank,
        customer_id,
        recency_days,
        frequency,
        monetary,
        tenure_days,
        average_order_amount,
        discount_share,
        returned_share
    from ranked
    where sample_rank <= {{ var('training_sample_size') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
