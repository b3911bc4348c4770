-- The one wide table of what is known of a customer with a purchase, in raw units.
with customers as (

    select * from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

final as (

    select
        customer_id,
        cast(recency_days as double) as recency_days,
        cast(frequency as double) as frequency,
        cast(monetary as double) as monetary,
        cast(tenure_days as double) as tenure_days,
        {{ ratio('order_net_amount', 'frequency') }} as average_order_amount,
        {{ ratio('discount_amount', 'gross_amount + discount_amount') }}
            as discount_share,
        {{ ratio('given_back_amount', 'gross_amount') }} as returned_share
    from customers

)

select * from final
