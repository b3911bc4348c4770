-- What was bought under each filter of the self-check, in the days that are chosen and
-- in those they are compared with. Orders are added up by day before they are filtered.
{% set revenue_spans = [
    'previous_period', 'previous_year', 'rolling_3', 'rolling_12', 'last_12',
] %}
with filters as (

    select * from {{ ref('int_self_check_filters') }}

),

customers as (

    select * from {{ ref('int_self_check_customers') }}

),

orders as (

    select
        orders.*,
        orders.customer_id is not null as is_known,
        coalesce(customers.is_in_segment, false) as is_in_segment,
        coalesce(customers.is_in_country, false) as is_in_country
    from {{ ref('int_orders') }} as orders
    left join customers on orders.customer_id = customers.customer_id

),

days as (

    select
        order_date,
        is_known,
        is_in_segment,
        is_in_country,
        sum(net_amount) as revenue,
        sum(gross_amount) as gross_amount,
        sum(returned_amount) as returned_amount,
        sum(case when is_purchase then 1 else 0 end) as purchase_count
    from orders
    group by order_date, is_known, is_in_segment, is_in_country

),

clock as (

    select
        as_of.as_of_date,
        horizon.churn_horizon_days as horizon_days,
        min(days.order_date) as first_order_date
    from days
    cross join {{ ref('int_as_of_date') }} as as_of
    cross join {{ ref('int_churn_horizon') }} as horizon
    group by as_of.as_of_date, horizon.churn_horizon_days

),

-- the chosen days that are over: from a day, until before a day
chosen_days as (

    select
        filters.*,
        clock.as_of_date,
        clock.horizon_days,
        clock.first_order_date,
        coalesce(filters.first_date, clock.first_order_date) as from_date,
        coalesce(
            least(
                cast({{ dbt.dateadd('day', 1, 'filters.last_date') }} as date),
                clock.as_of_date
            ),
            clock.as_of_date
        ) as until_date
    from filters
    cross join clock

),

lengths as (

    select
        *,
        extract(day from from_date) = 1 and extract(day from until_date) = 1
            as is_whole_months,
        {{ months_between('from_date', 'until_date') }} as month_count,
        {{ dbt.datediff('from_date', 'until_date', 'day') }} as day_count,
        cast({{ dbt.dateadd('day', '-horizon_days', 'as_of_date') }} as date)
            as horizon_date,
        cast({{ dbt.dateadd('day', '-2 * horizon_days', 'as_of_date') }} as date)
            as two_horizons_date
    from chosen_days

),

spans as (
    {% for span, (start, end) in {
        'chosen': ('from_date', 'until_date'),
        'previous_period': (
            'case when is_whole_months then cast('
            ~ dbt.dateadd('month', '-month_count', 'from_date') ~ ' as date) else cast('
            ~ dbt.dateadd('day', '-day_count', 'from_date') ~ ' as date) end',
            'from_date',
        ),
        'previous_year': (
            dbt.dateadd('year', -1, 'from_date'), dbt.dateadd('year', -1, 'until_date'),
        ),
        'rolling_3': (dbt.dateadd('month', -3, 'until_date'), 'until_date'),
        'rolling_12': (dbt.dateadd('month', -12, 'until_date'), 'until_date'),
        'last_12': (dbt.dateadd('month', -12, 'as_of_date'), 'as_of_date'),
    }.items() %}
    select
        filter_number,
        segment_id,
        country,
        '{{ span }}' as span,
        cast({{ start }} as date) as from_date,
        cast({{ end }} as date) as until_date
    from lengths
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

sums as (

    select
        spans.filter_number,
        {%- for span in revenue_spans %}
        sum(case when spans.span = '{{ span }}' then days.revenue end)
            as revenue_{{ span }},
        {%- endfor %}
        {%- for column in [
            'revenue', 'gross_amount', 'returned_amount', 'purchase_count',
        ] %}
        sum(case when spans.span = 'chosen' then days.{{ column }} end) as {{ column }},
        {%- endfor %}
        sum(case
            when spans.span = 'chosen' and days.is_known then days.revenue
        end) as known_revenue,
        sum(case
            when spans.span = 'chosen' and days.is_known then days.purchase_count
        end) as known_purchase_count
    from spans
    inner join days
        on spans.from_date <= days.order_date
        and spans.until_date > days.order_date
    where {{ passes_self_check('spans', 'days') }}
    group by spans.filter_number

),

sums_of_all_segments as (

    select
        lengths.filter_number,
        sum(days.revenue) as revenue_of_all_segments
    from lengths
    inner join days
        on lengths.from_date <= days.order_date
        and lengths.until_date > days.order_date
    where lengths.country is null or days.is_in_country
    group by lengths.filter_number

),

buyers as (

    select
        lengths.filter_number,
        orders.customer_id,
        sum(orders.net_amount) as revenue,
        max(case when orders.is_purchase then 1 else 0 end) as is_active
    from lengths
    inner join orders
        on lengths.from_date <= orders.order_date
        and lengths.until_date > orders.order_date
    where orders.is_known and {{ passes_self_check('lengths', 'orders') }}
    group by lengths.filter_number, orders.customer_id

),

ranked_buyers as (

    select
        *,
        row_number() over (
            partition by filter_number order by revenue desc, customer_id asc
        ) as place,
        count(*) over (partition by filter_number) as buyer_count
    from buyers

),

buyer_figures as (

    select
        filter_number,
        sum(is_active) as active_count,
        {{ ratio(
            'sum(case when place <= ceil(buyer_count / 5e0) then revenue end)',
            'sum(revenue)'
        ) }} as top_fifth_share
    from ranked_buyers
    group by filter_number

),

purchase_histories as (

    select
        orders.customer_id,
        orders.is_in_segment,
        orders.is_in_country,
        min(orders.order_date) as first_purchase_date,
        max(case
            when
                orders.order_date >= lengths.two_horizons_date
                and orders.order_date < lengths.horizon_date
                then 1
            else 0
        end) as is_active_before,
        max(case when orders.order_date >= lengths.horizon_date then 1 else 0 end)
            as is_active_since
    from orders
    inner join lengths on lengths.filter_number = 1
    where orders.is_purchase and orders.is_known
    group by orders.customer_id, orders.is_in_segment, orders.is_in_country

),

history_figures as (

    select
        lengths.filter_number,
        nullif(sum(case
            when
                histories.first_purchase_date >= lengths.from_date
                and histories.first_purchase_date < lengths.until_date
                then 1
            else 0
        end), 0) as new_count,
        case
            when min(lengths.first_order_date) <= min(lengths.two_horizons_date)
                then nullif(sum(histories.is_active_before), 0)
        end as active_before_count,
        sum(histories.is_active_before * histories.is_active_since) as retained_count
    from lengths
    cross join purchase_histories as histories
    where {{ passes_self_check('lengths', 'histories') }}
    group by lengths.filter_number

),

final as (

    select
        lengths.filter_number,
        lengths.from_date,
        lengths.until_date,
        lengths.horizon_days,
        {%- for span in revenue_spans %}
        sums.revenue_{{ span }},
        {%- endfor %}
        sums.revenue,
        sums.gross_amount,
        sums.returned_amount,
        sums.purchase_count,
        sums.known_revenue,
        sums.known_purchase_count,
        everybody.revenue_of_all_segments,
        buyers.active_count,
        buyers.top_fifth_share,
        histories.new_count,
        histories.active_before_count,
        case when histories.active_before_count > 0 then histories.retained_count end
            as retained_count,
        case
            when histories.active_before_count >= 30 then {{ ratio(
                'histories.retained_count', 'histories.active_before_count'
            ) }}
        end as retention_rate
    from lengths
    {% for table, name in {
        'sums': 'sums', 'sums_of_all_segments': 'everybody', 'buyer_figures': 'buyers',
        'history_figures': 'histories',
    }.items() -%}
    left join {{ table }} as {{ name }}
        on lengths.filter_number = {{ name }}.filter_number
    {% endfor %}
)

select * from final
