-- Days from a wall calendar, before and after the Monday that the mart counts from;
-- those outside the calendar of the input have nothing to compare.
with known_days as (
    {% for day, day_of_week, day_name in [
        ('1997-06-30', 1, 'Monday'),
        ('2010-12-01', 3, 'Wednesday'),
        ('2011-12-09', 5, 'Friday'),
        ('2023-01-01', 7, 'Sunday'),
        ('2023-12-31', 7, 'Sunday'),
        ('2024-01-01', 1, 'Monday'),
        ('2024-02-29', 4, 'Thursday'),
        ('2024-08-31', 6, 'Saturday'),
    ] %}
    select
        cast('{{ day }}' as date) as date_day,
        {{ day_of_week }} as day_of_week,
        '{{ day_name }}' as day_name
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

dates as (

    select * from {{ ref('dim_dates') }}

),

final as (

    select
        dates.date_day,
        dates.day_of_week,
        dates.day_name,
        dates.is_weekend
    from dates
    inner join known_days on dates.date_day = known_days.date_day
    where
        dates.day_of_week <> known_days.day_of_week
        or dates.day_name <> known_days.day_name
        or dates.is_weekend <> (known_days.day_of_week >= 6)

)

select * from final
