-- The filters under which the measures of the Power BI model are computed a second
-- time: none, and the largest segment and country, the last year and whole month.
{% set text = dbt.type_string() %}
{% set has_orders = has('order_lines') %}
{#- Each filter, and which of the choices it has. -#}
{% set filters = {
    'no filter': [],
    'segmentation': ['segmentation'],
    'segment': ['segmentation', 'segment_id', 'segment_name'],
    'country': ['country'],
} %}
{% set dates = {} %}
{% if has_orders %}
{% do filters.update({
    'year': [],
    'month': [],
    'segment, country and year':
        ['segmentation', 'segment_id', 'segment_name', 'country'],
}) %}
{% do dates.update({
    'year': ['year_start_date', 'year_end_date'],
    'month': ['month_start_date', 'month_end_date'],
    'segment, country and year': ['year_start_date', 'year_end_date'],
}) %}
{% endif %}
with segment_sizes as (

    select
        segment_id,
        count(*) as customer_count
    from {{ ref('int_customer_segments') }}
    where segmentation = '{{ primary_segmentation() }}'
    group by segment_id

),

ranked_segments as (

    select
        sizes.segment_id,
        segments.segment_name,
        row_number() over (
            order by sizes.customer_count desc, sizes.segment_id asc
        ) as place
    from segment_sizes as sizes
    inner join {{ ref('int_segments') }} as segments
        on sizes.segment_id = segments.segment_id

),

-- without a choice there is one all the same where there is only one
segmentations as (

    select
        case when count(distinct segmentation) = 1 then max(segmentation) end
            as only_segmentation
    from {{ ref('int_segments') }}

),

country_sizes as (

    select
        records.country,
        count(*) as customer_count
    from {{ ref('int_customer_rfm') }} as customers
    inner join {{ ref('stg_customers') }} as records
        on customers.customer_id = records.customer_id
    where records.country is not null
    group by records.country

),

ranked_countries as (

    select
        country,
        row_number() over (order by customer_count desc, country asc) as place
    from country_sizes

),

{% if has_orders -%}
months as (

    select
        cast({{ dbt.date_trunc('month', 'as_of_date') }} as date) as month_after,
        cast({{ dbt.date_trunc(
            'year', dbt.dateadd('day', -1, 'as_of_date')
        ) }} as date) as year_start_date
    from {{ ref('int_as_of_date') }}

),

{% endif -%}
choices as (

    select
        '{{ primary_segmentation() }}' as segmentation,
        segmentations.only_segmentation,
        segments.segment_id,
        segments.segment_name,
        {%- if has_orders %}
        months.year_start_date,
        {%- for name, date in {
            'year_end_date':
                dbt.dateadd('day', -1, dbt.dateadd('year', 1, 'months.year_start_date')),
            'month_start_date': dbt.dateadd('month', -1, 'months.month_after'),
            'month_end_date': dbt.dateadd('day', -1, 'months.month_after'),
        }.items() %}
        cast({{ date }} as date) as {{ name }},
        {%- endfor %}
        {%- endif %}
        countries.country
    from ranked_segments as segments
    cross join segmentations
    {% if has_orders -%}
    cross join months
    {% endif -%}
    left join ranked_countries as countries on countries.place = 1
    where segments.place = 1

),

final as (
    {% for name, kept in filters.items() %}
    {%- set no_text, no_date = 'cast(null as ' ~ text ~ ')', 'cast(null as date)' %}
    select
        {{ loop.index }} as filter_number,
        '{{ name }}' as filters,
        {{ 'segmentation' if 'segmentation' in kept else 'only_segmentation' }}
            as shown_segmentation,
        {%- for column in ['segmentation', 'segment_id', 'segment_name', 'country'] %}
        {{ column if column in kept else no_text }} as {{ column }},
        {%- endfor %}
        {{ dates.get(name, [no_date, no_date])[0] }} as first_date,
        {{ dates.get(name, [no_date, no_date])[1] }} as last_date
    from choices
    {%- if 'country' in kept %}
    where country is not null
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
