-- Which share of a customer's spend is margin: as configured; else from unit costs,
-- drawn towards that of all customers by the spend of the median customer, because a
-- few lines say little; else all of it, and value is revenue.
{% set with_costs = has('order_lines', 'unit_cost') and var('margin_rate') is none %}
with customers as (

    select customer_id from {{ ref('int_snapshot_customers') }}
    where snapshot_number = 0

),
{% if with_costs %}
margins as (

    select
        lines.customer_id,
        sum(lines.net_amount) as net_amount,
        sum(
            lines.net_amount
            - cast(lines.quantity * lines.unit_cost as decimal(38, 4))
        ) as margin_amount
    from {{ ref('int_counted_lines') }} as lines
    cross join {{ ref('int_as_of_date') }} as clock
    where lines.unit_cost is not null and lines.order_date < clock.as_of_date
    group by lines.customer_id

),

everyone as (

    select
        {{ ratio('sum(margin_amount)', 'sum(net_amount)', 9) }} as margin_rate,
        percentile_cont(0.5) within group (order by cast(net_amount as double))
            as median_amount
    from margins
    where net_amount > 0

),

final as (

    select
        customers.customer_id,
        'margin' as value_basis,
        coalesce(
            {{ ratio(
                'margins.margin_amount + everyone.margin_rate * everyone.median_amount',
                'margins.net_amount + everyone.median_amount'
            ) }},
            everyone.margin_rate, 1
        ) as margin_rate
    from customers
    cross join everyone
    left join margins
        on customers.customer_id = margins.customer_id
        and margins.net_amount > 0

)
{%- else %}
final as (

    select
        customer_id,
        '{{ 'revenue' if var('margin_rate') is none else 'margin' }}' as value_basis,
        cast({{ 1 if var('margin_rate') is none else var('margin_rate') }} as double)
            as margin_rate
    from customers

)
{%- endif %}

select * from final
