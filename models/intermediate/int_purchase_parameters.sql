-- The parameters of the models as of now, in one row; null where a model may not speak.
with parameters as (

    select * from {{ ref('ml_purchase_models') }}
    where snapshot_number = 0

),

-- what is paid back for no known sale is off every purchase alike
money_back as (

    select
        {{ ratio(
            'sum(order_net_amount) - sum(money_back_amount)',
            'sum(order_net_amount)', 9
        ) }} as kept_share
    from {{ ref('int_customer_rfm') }}

),

wide as (

    select
        {% for parameter in ['r', 'alpha', 'a', 'b'] -%}
        max(case
            when model <> 'gamma_gamma' and parameter = '{{ parameter }}' then estimate
        end) as {{ parameter }},
        {% endfor -%}
        {% for parameter in ['p', 'q', 'v'] -%}
        max(case
            when model = 'gamma_gamma' and parameter = '{{ parameter }}' then estimate
        end) as {{ parameter }},
        {% endfor -%}
        max(case when model = 'mbg_nbd' then 1 else 0 end) as first_dropout,
        max(case when model <> 'gamma_gamma' then status end) as purchase_status,
        max(case when model = 'gamma_gamma' then status end) as value_status
    from parameters

),

final as (

    select
        wide.*,
        greatest(0, coalesce(money_back.kept_share, 1)) as kept_share
    from wide
    cross join money_back

)

select * from final
