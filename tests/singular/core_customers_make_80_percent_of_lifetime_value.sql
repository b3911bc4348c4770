{{ config(group='segmentation') }}

-- And would not without the last of them.
with customers as (

    select
        lifetime_value,
        is_core_value
    from {{ ref('dim_customers') }}
    where lifetime_value > 0

),

totals as (

    select
        sum(lifetime_value) as all_value,
        sum(case when is_core_value then lifetime_value else 0 end) as core_value,
        min(case when is_core_value then lifetime_value end) as least_core_value,
        max(case when not is_core_value then lifetime_value end) as largest_other_value
    from customers

),

-- customers within a thousandth of the threshold are in or out together
least as (

    select sum(customers.lifetime_value) as last_values
    from customers
    cross join totals
    where
        customers.is_core_value
        and customers.lifetime_value <= 1.0011 * totals.least_core_value

),

final as (

    select totals.*
    from totals
    cross join least
    where
        totals.core_value < 0.8 * totals.all_value
        or totals.core_value - least.last_values >= 0.8 * totals.all_value
        or totals.largest_other_value >= totals.least_core_value

)

select * from final
