-- The date that every metric is as of: the one asked for, else the day after the last
-- plausible order day. Nothing at or after its midnight is read. An input without
-- orders has no clock of its own: null, unless a date is given.
with clock as (
    {% if has('order_lines') %}
    select * from {{ ref('base_last_plausible_day') }}
    {% else %}
    select cast(null as date) as last_plausible_day
    {% endif %}
),

final as (

    select
        {%- if var('as_of_date') %}
        cast('{{ var("as_of_date") }}' as date) as as_of_date,
        {%- else %}
        cast({{ dbt.dateadd('day', 1, 'last_plausible_day') }} as date) as as_of_date,
        {%- endif %}
        last_plausible_day
    from clock

)

select * from final
