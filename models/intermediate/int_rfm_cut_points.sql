-- The values at which a score begins: tie-safe ranks (docs/glossary.md). A past date
-- that is rebuilt takes the cut points that were published for it.
with purchasers as (

    select
        recency_days,
        rfm_frequency as frequency,
        rfm_monetary as monetary,
        cast(floor(rfm_monetary) as bigint) as whole_units
    from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

-- how many customers have less: by the counts of values, of money by its whole units
-- first, so that no engine has to sort all customers in one place
{% for measure in ['recency_days', 'frequency', 'whole_units'] %}
{{ measure }}_counts as (

    select
        {{ measure }},
        count(*) as customer_count
    from purchasers
    group by {{ measure }}

),

{{ measure }}_ranks as (

    select
        {{ measure }},
        cast(
            sum(customer_count) over (order by {{ measure }}) - customer_count as bigint
        ) as customers_below
    from {{ measure }}_counts

),
{% endfor %}
everyone as (

    select count(*) as customer_count from purchasers

),

ranked as (

    select
        purchasers.recency_days,
        purchasers.frequency,
        purchasers.monetary,
        everyone.customer_count,
        recency_days_ranks.customers_below as recency_rank,
        frequency_ranks.customers_below as frequency_rank,
        whole_units_ranks.customers_below
        + rank() over (
            partition by purchasers.whole_units order by purchasers.monetary
        ) - 1 as monetary_rank
    from purchasers
    cross join everyone
    inner join recency_days_ranks
        on purchasers.recency_days = recency_days_ranks.recency_days
    inner join frequency_ranks on purchasers.frequency = frequency_ranks.frequency
    inner join whole_units_ranks
        on purchasers.whole_units = whole_units_ranks.whole_units

),

scored as (

    select
        customer_count,
        recency_days,
        frequency,
        monetary,
        5 - {{ fifths_below('recency_rank') }} as recency_score,
        1 + {{ fifths_below('frequency_rank') }} as frequency_score,
        1 + {{ fifths_below('monetary_rank') }} as monetary_score
    from ranked
    where customer_count >= {{ var('minimum_customers') }}

),

scores as (

    select 2 as score
    union all
    select 3
    union all
    select 4
    union all
    select 5

),

final as (

    select
        scores.score,
        max(case when scored.recency_score >= scores.score then scored.recency_days end)
            as maximum_recency_days,
        min(case when scored.frequency_score >= scores.score then scored.frequency end)
            as minimum_frequency,
        {{ money(
            'min(case when scored.monetary_score >= scores.score then scored.monetary end)'
        ) }} as minimum_monetary,
        max(scored.customer_count) as training_customers
    from scores
    cross join scored
    group by scores.score

)

select * from final
