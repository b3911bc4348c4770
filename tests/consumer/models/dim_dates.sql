select cast('2024-02-29' as date) as leap_day
