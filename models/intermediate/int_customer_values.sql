-- What every customer is expected to buy and to bring, by the parameters of the fits.
-- Formulas and sources: docs/glossary.md, lifetime value.
with customers as (

    select
        customers.*,
        {{ valued_days('customers') }} as valued_days,
        {{ purchase_value('customers') }} as purchase_value
    from {{ ref('int_snapshot_customers') }} as customers
    where customers.snapshot_number = 0

),

parameters as (

    select * from {{ ref('int_purchase_parameters') }}

),

-- d is the logarithm of the odds of having left
odds as (

    select
        customers.*,
        parameters.*,
        case
            when customers.repeat_count + parameters.first_dropout = 0 then 0
            else {{ exp_of(
                'ln(a) - ln(b + repeat_count + first_dropout - 1)'
                ~ ' + (r + repeat_count)'
                ~ ' * (ln(alpha + observed_days) - ln(alpha + span_days))'
            ) }}
        end as odds_of_having_left
    from customers
    cross join parameters

),

described as (

    select
        odds.customer_id,
        odds.repeat_count,
        odds.observed_days,
        1 / (1 + odds.odds_of_having_left) as alive_probability,
        {{ purchase_probability('odds.observed_days') }}
            as retained_purchase_probability,
        -- the rhythm as it was known at the last purchase: silence since then is what
        -- it is to be judged by
        {{ purchase_probability('odds.span_days') }} as usual_purchase_probability,
        case
            when odds.purchase_value is null
                then odds.p * odds.v / nullif(odds.q - 1, 0)
            else
                odds.p * (odds.v + odds.valued_days * odds.purchase_value)
                / (odds.p * odds.valued_days + odds.q - 1)
        end as spend_per_purchase_day,
        case
            when odds.purchase_status <> 'ok' then odds.purchase_status
            when odds.value_status <> 'ok' then odds.value_status
            else 'predicted'
        end as value_status
    from odds
    cross join {{ ref('int_lifetime_value_settings') }} as settings

),

priced as (

    select
        described.*,
        margins.value_basis,
        described.alive_probability * grid.purchases_if_retained as expected_purchases,
        described.spend_per_purchase_day * margins.margin_rate
            as value_per_purchase_day,
        grid.purchases_if_retained,
        grid.discounted_purchases_if_retained
    from described
    inner join {{ ref('int_customer_margins') }} as margins
        on described.customer_id = margins.customer_id
    left join {{ ref('ml_purchase_grid') }} as grid
        on described.repeat_count = grid.repeat_count
        and described.observed_days = grid.observed_days

),

final as (

    select
        customer_id,
        value_status,
        value_basis,
        {{ rounded('alive_probability', 6) }} as alive_probability,
        {{ rounded('usual_purchase_probability', 6) }} as usual_purchase_probability,
        {{ rounded('alive_probability * retained_purchase_probability', 6) }}
            as purchase_probability,
        {{ rounded('expected_purchases', 6) }} as expected_purchases,
        {{ money('spend_per_purchase_day') }} as expected_purchase_amount,
        {{ money(
            'alive_probability * discounted_purchases_if_retained * value_per_purchase_day'
        ) }} as lifetime_value,
        {{ money('purchases_if_retained * value_per_purchase_day') }}
            as value_if_retained
    from priced

)

select * from final
