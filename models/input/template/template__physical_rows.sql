-- Counted apart from the reading: every physical line that is not blank, less the
-- header and the lines that continue a quoted field.
with
{% for table in ['order_lines', 'customers'] %}
counted_{{ table }} as (

    {{ count_physical_rows('template__raw_' ~ table) }}

),

continued_{{ table }} as (

    select coalesce(sum(line_count - 1), 0) as line_count
    from {{ ref('template__raw_' ~ table) }}

),
{% endfor %}
final as (
    {% for table in ['order_lines', 'customers'] %}
    select
        '{{ table }}' as source_table,
        counted_{{ table }}.row_count - continued_{{ table }}.line_count as row_count
    from counted_{{ table }}
    cross join continued_{{ table }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
