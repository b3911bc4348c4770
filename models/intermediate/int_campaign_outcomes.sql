-- What the groups of each campaign that has begun did in its outcome window: from the
-- day of the start, so many days, as far as the as-of date lets see.
with campaigns as (

    select
        campaigns.*,
        cast(campaigns.starts_at as date) as window_start_date,
        cast({{ dbt.dateadd(
            'day', var('campaign_outcome_days'), 'cast(campaigns.starts_at as date)'
        ) }} as date) as window_end_date,
        clock.as_of_date
    from {{ ref('stg_campaigns') }} as campaigns
    cross join {{ ref('int_as_of_date') }} as clock
    where cast(campaigns.starts_at as date) < clock.as_of_date

),

members as (

    select * from {{ ref('int_campaign_members') }}

),

-- orders are net of what came back and none is later than the as-of date
purchases as (

    select
        members.campaign_id,
        members.customer_id,
        {{ money('sum(orders.net_amount)') }} as amount
    from members
    inner join campaigns on members.campaign_id = campaigns.campaign_id
    inner join {{ ref('int_orders') }} as orders
        on members.customer_id = orders.customer_id
        and campaigns.window_start_date <= orders.order_date
        and campaigns.window_end_date > orders.order_date
    where orders.is_purchase
    group by members.campaign_id, members.customer_id

),

final as (

    select
        {%- for arm in ['treatment', 'control'] %}
        {%- set within = "case when members.assigned_group = '" ~ arm ~ "' then" %}
        count({{ within }} 1 end) as {{ arm }}_count,
        count({{ within }} case when members.is_contacted then 1 end end)
            as {{ arm }}_contacted_count,
        count({{ within }} purchases.amount end) as {{ arm }}_buyer_count,
        {{ money('coalesce(sum(' ~ within ~ ' purchases.amount end), 0)') }}
            as {{ arm }}_revenue,
        -- amounts are decimals: their squares add up to the same in any order
        cast(coalesce(
            sum({{ within }} purchases.amount * purchases.amount end), 0
        ) as double) as {{ arm }}_squares,
        {%- endfor %}
        campaigns.campaign_id,
        max(campaigns.window_start_date) as window_start_date,
        max(campaigns.window_end_date) as window_end_date,
        max(campaigns.window_end_date) <= max(campaigns.as_of_date) as is_over
    from campaigns
    left join members on campaigns.campaign_id = members.campaign_id
    left join purchases
        on members.campaign_id = purchases.campaign_id
        and members.customer_id = purchases.customer_id
    group by campaigns.campaign_id

)

select * from final
