-- Where the fifths of predicted value begin, and the smallest value of those that make
-- 80 % of it. One row.
with customers as (

    select * from {{ ref('int_customer_values') }}
    where lifetime_value is not null

),

fifths as (

    select
        {% for fifth in range(2, 6) -%}
        percentile_cont({{ (fifth - 1) / 5 }}) within group (
            order by cast(lifetime_value as double)
        ) as fifth_{{ fifth }}_value,
        {% endfor -%}
        percentile_cont(0.8) within group (order by cast(value_if_retained as double))
            as high_value
    from customers

),

-- values in steps of a thousandth, so that no engine has to sort all customers in one
-- place
steps as (

    select
        {{ value_step('lifetime_value') }} as step,
        min(lifetime_value) as least_value,
        sum(lifetime_value) as total_value
    from customers
    where lifetime_value > 0
    group by {{ value_step('lifetime_value') }}

),

running as (

    select
        least_value,
        total_value,
        sum(total_value) over (order by step desc rows unbounded preceding)
            as value_so_far,
        sum(total_value) over () as all_value
    from steps

),

core as (

    select min(least_value) as core_value
    from running
    where value_so_far - total_value < 0.8 * all_value

),

final as (

    select
        fifths.*,
        core.core_value
    from fifths
    cross join core

)

select * from final
