{{ config(group='segmentation', severity='warn') }}

-- One customer, product and price with more lines than this makes the matching of
-- returns slow; a customer like that is mostly a till or a house account.
with history as (

    select * from {{ ref('int_return_history') }}

),

final as (

    select
        customer_id,
        product_id,
        shelf_price,
        count(*) as line_count
    from history
    group by customer_id, product_id, shelf_price
    having count(*) > 50000

)

select * from final
