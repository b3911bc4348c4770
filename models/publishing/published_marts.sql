-- What is published: one row a table, with its key (the order of its rows), the columns
-- that may leave the house, and where to. It depends on every mart, so that it waits
-- for all their tests.
{% set tables = published_tables() %}
with tables as (
    {% for table in tables %}
    select
        '{{ table.name }}' as table_name,
        '{{ table.relation }}' as relation,
        '{{ table.columns | join(", ") }}'
            as column_names,
        '{{ table.key | join(", ") }}' as key_columns,
        '{{ table.registry_table }}' as registry_table,
        '{{ table.registry_columns }}'
            as registry_columns,
        '{{ table.registry_keys }}' as registry_keys,
        '{{ table.promoted_where }}' as promoted_where,
        {{ 'true' if table.csv else 'false' }} as is_csv
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select
        tables.*,
        '{{ var("input") }}' as input_name,
        '{{ reporting_currency() if has("order_lines") }}' as currency,
        {{ text_literal(exports_folder()) }} as exports_folder,
        '{{ registry_schema() }}' as registry_schema,
        {{ text_literal(publishing_configuration()) }} as configuration,
        clock.as_of_date,
        runs.partial_because
    from tables
    cross join {{ ref('int_as_of_date') }} as clock
    cross join {{ source('registry', 'current_run') }} as runs

)

select * from final
