-- Every feature of every customer as a number, one row each; a level of a categorical
-- feature is 1 or 0. Of a feature with many levels the 20 most frequent are shown.
with customers as (

    select * from {{ ref('int_customer_features') }}

),
{% for feature, kind in customer_features().items() if kind == 'categorical' %}
{{ feature }}_levels as (

    select
        {{ feature }} as level,
        row_number() over (order by count(*) desc, {{ feature }} asc) as frequency_rank
    from customers
    where {{ feature }} is not null
    group by {{ feature }}

),
{% endfor %}
final as (
    {% for feature, kind in customer_features().items() %}
    {% if kind == 'numeric' %}
    select
        customer_id,
        '{{ feature }}' as feature,
        cast(null as {{ dbt.type_string() }}) as level,
        {{ feature }} as feature_value
    from customers
    where {{ feature }} is not null
    {% else %}
    select
        customers.customer_id,
        '{{ feature }}' as feature,
        {{ feature }}_levels.level,
        case when customers.{{ feature }} = {{ feature }}_levels.level then 1.0 else 0.0
        end as feature_value
    from customers
    cross join {{ feature }}_levels
    where
        {{ feature }}_levels.frequency_rank <= 20
        and customers.{{ feature }} is not null
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
