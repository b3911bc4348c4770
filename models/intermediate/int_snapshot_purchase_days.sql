-- The days on which customers had bought as was known at each snapshot: what came back
-- later had not come back yet.
with snapshots as (

    select * from {{ ref('int_snapshots') }}

),

orders as (

    select * from {{ ref('int_orders') }}
    where customer_id is not null

),

later_returns as (

    select
        snapshots.snapshot_number,
        sales.order_id,
        sum(matches.returned_amount) as returned_amount
    from {{ ref('int_return_matches') }} as matches
    inner join {{ ref('int_counted_lines') }} as sales
        on matches.sale_line_id = sales.line_id
    cross join {{ ref('int_as_of_date') }} as clock
    inner join snapshots
        on cast(matches.returned_at as date) >= snapshots.snapshot_date
    where cast(matches.returned_at as date) < clock.as_of_date
    group by snapshots.snapshot_number, sales.order_id

),

then_known as (

    select
        snapshots.snapshot_number,
        orders.customer_id,
        orders.order_date,
        orders.is_purchase,
        orders.net_amount + coalesce(later_returns.returned_amount, 0) as net_amount
    from orders
    inner join snapshots on orders.order_date < snapshots.snapshot_date
    left join later_returns
        on snapshots.snapshot_number = later_returns.snapshot_number
        and orders.order_id = later_returns.order_id

),

final as (

    select
        snapshot_number,
        customer_id,
        order_date as purchase_date,
        count(*) as order_count,
        {{ money('sum(net_amount)') }} as net_amount
    from then_known
    where is_purchase or net_amount > 0
    group by snapshot_number, customer_id, order_date

)

select * from final
