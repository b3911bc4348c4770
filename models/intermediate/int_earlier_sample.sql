-- The sampled customers as they were half a period ago, from the orders before then as
-- they stand today: what has come back since is off them.
{% set with_orders = has('order_lines') %}
{% set past = [
    'recency_days', 'frequency', 'monetary', 'tenure_days', 'average_order_amount',
    'units_per_order', 'orders_per_active_month', 'discount_share', 'returned_share',
    'shrunk_discount_share', 'shrunk_returned_share', 'events_per_month',
] %}
with sample as (

    select * from {{ ref('int_training_sample') }}

),
{% if with_orders %}
period as (

    select
        clock.as_of_date,
        min(orders.order_date) as first_date
    from {{ ref('int_orders') }} as orders
    cross join {{ ref('int_as_of_date') }} as clock
    group by clock.as_of_date

),

half as (

    select
        cast({{ dbt.dateadd(
            'day',
            'cast(floor(' ~ dbt.datediff('first_date', 'as_of_date', 'day')
            ~ ' / 2.0) as integer)',
            'first_date'
        ) }} as date) as earlier_date
    from period

),

orders as (

    select
        orders.*,
        half.earlier_date
    from {{ ref('int_orders') }} as orders
    cross join half
    where orders.customer_id is not null and orders.order_date < half.earlier_date

),

money_back as (

    select
        money_back.customer_id,
        sum(money_back.given_back_amount) as given_back_amount,
        sum(money_back.money_back_amount) as money_back_amount
    from {{ ref('int_money_back') }} as money_back
    cross join half
    where money_back.returned_on < half.earlier_date
    group by money_back.customer_id

),

order_totals as (

    select
        customer_id,
        earlier_date,
        sum(case when is_purchase then 1 else 0 end) as frequency,
        min(case when is_purchase then order_date end) as first_purchase_date,
        max(case when is_purchase then order_date end) as last_purchase_date,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as order_net_amount
    from orders
    group by customer_id, earlier_date

),

customers as (

    select
        order_totals.*,
        {{ dbt.datediff(
            'order_totals.last_purchase_date', 'order_totals.earlier_date', 'day'
        ) }} as recency_days,
        {{ dbt.datediff(
            'order_totals.first_purchase_date', 'order_totals.earlier_date', 'day'
        ) }} as tenure_days,
        coalesce(money_back.given_back_amount, 0) as given_back_amount,
        order_totals.order_net_amount - coalesce(money_back.money_back_amount, 0)
            as monetary
    from order_totals
    left join money_back on order_totals.customer_id = money_back.customer_id
    where order_totals.frequency > 0

),

purchases as (

    select
        customer_id,
        sum(unit_count) as unit_count,
        count(distinct {{ dbt.date_trunc('month', 'order_date') }}) as active_months
    from orders
    where is_purchase
    group by customer_id

),

events as (

    select
        events.customer_id,
        count(*) as event_count
    from {{ ref('stg_customer_events') }} as events
    cross join half
    where cast(events.event_at as date) < half.earlier_date
    group by events.customer_id

),

{{ habit_ctes() }},
{% endif %}
final as (

    select
        {%- for feature in customer_features() %}
        {%- if with_orders and feature in past[:4] %}
        cast(customers.{{ feature }} as double) as {{ feature }},
        {%- elif with_orders and feature in past %}
        habits.{{ feature }},
        {%- else %}
        sample.{{ feature }},
        {%- endif %}
        {%- endfor %}
        sample.segmentation,
        sample.sample_rank
    from sample
    {% if with_orders %}
    inner join customers on sample.customer_id = customers.customer_id
    inner join habits on sample.customer_id = habits.customer_id
    where
        customers.frequency >= case sample.segmentation
            {%- for name, segmentation in segmentations().items() %}
            when '{{ name }}' then {{ segmentation.get('minimum_purchases', 1) }}
            {%- endfor %}
        end
    {% else %}
    where 1 = 0
    {% endif %}

)

select * from final
