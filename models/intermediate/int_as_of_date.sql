-- The date that every metric is as of: the one asked for, else the day after the last
-- plausible order day. Nothing at or after its midnight is read.
with clock as (

    select * from {{ ref('base_last_plausible_day') }}

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
