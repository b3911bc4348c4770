-- The values at which a score begins: tie-safe ranks (docs/glossary.md). A past date
-- that is rebuilt takes the cut points that were published for it.
with purchasers as (

    select * from {{ ref('int_customer_rfm') }}
    where frequency > 0

),

ranked as (

    select
        recency_days,
        frequency,
        monetary,
        count(*) over () as customer_count,
        rank() over (order by recency_days) - 1 as recency_rank,
        rank() over (order by frequency) - 1 as frequency_rank,
        rank() over (order by monetary) - 1 as monetary_rank
    from purchasers

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
