{{ config(group='segmentation') }}

-- Nor any other date that a mart takes from what happened.
with clock as (

    select * from {{ ref('int_as_of_date') }}

),

dates as (

    select
        order_id as what,
        order_date as happened_on
    from {{ ref('fct_orders') }}
    union all
    select
        customer_id as what,
        last_purchase_date as happened_on
    from {{ ref('dim_customers') }}
    union all
    select
        customer_id as what,
        last_event_date as happened_on
    from {{ ref('dim_customers') }}
    union all
    select
        return_line_id as what,
        returned_on as happened_on
    from {{ ref('int_money_back') }}

),

final as (

    select
        dates.what,
        dates.happened_on
    from dates
    cross join clock
    where dates.happened_on >= clock.as_of_date

)

select * from final
