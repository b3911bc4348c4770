-- The parameters of the models as of now, in one row; null where a model may not speak.
with parameters as (

    select * from {{ ref('ml_purchase_models') }}
    where snapshot_number = 0

),

final as (

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

)

select * from final
