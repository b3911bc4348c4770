-- Every code of three scores from 1 to 5 is there once, and nothing else is.
with scores as (
    {% for score in [1, 2, 3, 4, 5] %}
    select {{ score }} as score
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

codes as (

    select 100 * recency.score + 10 * frequency.score + monetary.score as rfm_code
    from scores as recency
    cross join scores as frequency
    cross join scores as monetary

),

map as (

    select
        rfm_code,
        count(*) as segment_count,
        count(segment_name) as name_count
    from {{ ref('rfm_segment_map') }}
    group by rfm_code

),

final as (

    select
        codes.rfm_code,
        map.rfm_code as mapped_rfm_code,
        map.segment_count
    from codes
    full outer join map on codes.rfm_code = map.rfm_code
    where
        codes.rfm_code is null
        or coalesce(map.segment_count, 0) <> 1
        or map.name_count <> 1

)

select * from final
