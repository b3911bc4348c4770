-- Every raw row that is not used, as it came, with the first reason that keeps it out.
with
{% if has('order_lines') -%}
order_lines as (

    select
        'order_lines' as source_table,
        lines.source_file,
        lines.source_line,
        coalesce(lines.quarantine_reason, 'implausible_future_date') as reason,
        lines.source_row
    from {{ ref('base_order_lines_judged') }} as lines
    cross join {{ ref('base_last_plausible_day') }} as clock
    where
        lines.quarantine_reason is not null
        or lines.ordered_on > clock.last_plausible_day

),
{%- endif %}

others as (
    {% for table in input_contract() if table != 'order_lines' %}
    select
        '{{ table }}' as source_table,
        source_file,
        source_line,
        quarantine_reason as reason,
        source_row
    from {{ ref('base_' ~ table) }}
    where quarantine_reason is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    {% if has('order_lines') %}
    select * from order_lines
    union all
    {% endif %}
    select * from others

)

select * from final
