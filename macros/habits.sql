{#- How customers buy, as two further CTEs `overall` and `habits`. Before them stand:
    customers (customer_id, frequency, tenure_days, gross_amount, discount_amount,
        given_back_amount, order_net_amount), those with a purchase;
    purchases (customer_id, unit_count, active_months);
    events (customer_id, event_count).
    Shares from a few lines are noise: the shrunk ones are drawn towards the share of
    all customers by the spend of the median customer. With `date` all of it stands once
    for each date, a column of that name. -#}
{% macro habit_ctes(date=none) -%}
overall as (

    select
        {% if date %}
        {{ date }},
        {% endif %}
        {{ ratio('sum(discount_amount)', 'sum(gross_amount + discount_amount)', 9) }}
            as discount_share,
        {{ ratio('sum(given_back_amount)', 'sum(gross_amount)', 9) }} as returned_share,
        percentile_cont(0.5) within group (order by cast(gross_amount as double))
            as median_amount
    from customers
    {% if date %}
    group by {{ date }}
    {% endif %}

),

habits as (

    select
        customers.customer_id,
        {% if date %}
        customers.{{ date }},
        {% endif %}
        {{ ratio('customers.order_net_amount', 'customers.frequency') }}
            as average_order_amount,
        {{ ratio('purchases.unit_count', 'customers.frequency') }} as units_per_order,
        {{ ratio('customers.frequency', 'purchases.active_months') }}
            as orders_per_active_month,
        {{ ratio(
            'customers.discount_amount',
            'customers.gross_amount + customers.discount_amount'
        ) }} as discount_share,
        {{ ratio('customers.given_back_amount', 'customers.gross_amount') }}
            as returned_share,
        {{ ratio(
            'customers.discount_amount + overall.discount_share * overall.median_amount',
            'customers.gross_amount + customers.discount_amount + overall.median_amount'
        ) }} as shrunk_discount_share,
        {{ ratio(
            'customers.given_back_amount'
            ~ ' + overall.returned_share * overall.median_amount',
            'customers.gross_amount + overall.median_amount'
        ) }} as shrunk_returned_share,
        {{ ratio('30.4375 * coalesce(events.event_count, 0)', 'customers.tenure_days') }}
            as events_per_month
    from customers
    inner join purchases
        on customers.customer_id = purchases.customer_id
        {% if date %}
        and customers.{{ date }} = purchases.{{ date }}
        {% endif %}
    left join events
        on customers.customer_id = events.customer_id
        {% if date %}
        and customers.{{ date }} = events.{{ date }}
        {% endif %}
    {% if date %}
    inner join overall on customers.{{ date }} = overall.{{ date }}
    {% else %}
    cross join overall
    {% endif %}

)
{%- endmacro %}
