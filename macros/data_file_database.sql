{#- Tables of a PostgreSQL database as an input's source: docs/decisions/0031. The functions
    postgres_columns() and postgres_fetch() of segmentation.duckdb_plugin ask the server;
    what they fetch is a Parquet file beside the database until the model has read it.
    What is known of a table is one row of the registry's data_files_<table>: root, the
    server; name, the table; path, where it is fetched to; header, its columns; size, the
    rows that it had when it was last fetched; row_count, when its rows were last read. -#}

{#- The answer of one of the functions, or its error. -#}
{% macro ask_database(call) -%}
    {% set answer = fromjson(run_query('select ' ~ call)[0][0]) %}
    {% if answer.error %}{% do stop(answer.error) %}{% endif %}
    {{ return(answer) }}
{%- endmacro %}

{#- For the start of a run: looks at the table's columns. -#}
{% macro list_database_table(spec) -%}
    {% if target.type != 'duckdb' %}
        {% do stop(
            "input '" ~ var('input') ~ "' reads a database, which the target " ~ target.name
            ~ ' cannot do. Build on DuckDB (--target dev), or load its tables into the '
            ~ "warehouse and build the input 'warehouse'."
        ) %}
    {% endif %}
    {% do check_plugin(
        "input '" ~ var('input') ~ "' reads a database", 'load its tables into the warehouse'
    ) %}
    {% set name = given_relation(spec.table) or spec.relation %}
    {% set found = ask_database(
        'postgres_columns(' ~ text_literal(name) ~ ', ' ~ text_literal(spec.table) ~ ')'
    ) %}
    {% if found.missing and not spec.get('may_be_absent') %}{% do stop(found.missing) %}{% endif %}
    {% set before = database_table(spec) %}
    {% if before.get('root') != found.place or before.name != name %}
        {% set before = {} %}
    {% endif %}
    {% do store_data_files(spec.table, found.place, [], [{
        'path': found.get('path'), 'name': name, 'size': before.get('size'),
        'modified': '', 'encoding': none, 'broken': none, 'letters': none,
        'header': tojson(found['columns']) if found['columns'] else '',
        'row_count': before.get('row_count'),
        'delivery_number': before.get('delivery_number'),
    }], false) %}
    {% if found.missing %}{{ return('') }}{% endif %}
    {% set columns = data_file_columns(spec, database_source(spec)) %}
    {% for position in columns.positions.values()
        if position is not none and not found['columns'][position][2] %}
        {% do stop(
            'the column ' ~ columns.headers[position] ~ ' of the table ' ~ name ~ ' at '
            ~ found.place ~ ' may not be read by the user ' ~ found.user ~ '. Who owns it '
            ~ 'can allow it: grant select on ' ~ name ~ ' to ' ~ found.user ~ ';'
        ) %}
    {% endfor %}
{%- endmacro %}

{#- What the start of the run noted of a table; empty where none did. -#}
{% macro database_table(spec) -%}
    {% if not has_table(state_schema(), 'data_files_' ~ spec.table) %}{{ return({}) }}{% endif %}
    {% set rows = run_query(
        'select root, name, path, header, size, row_count, delivery_number from '
        ~ data_files_table(spec.table)
    ) %}
    {% if rows | length != 1 %}{{ return({}) }}{% endif %}
    {{ return(dict(rows[0].dict())) }}
{%- endmacro %}

{% macro database_source(spec) -%}
    {% set table = database_table(spec) %}
    {% if not table %}
        {% do list_database_table(spec) %}
        {% set table = database_table(spec) %}
    {% endif %}
    {% if not table.header %}{{ return({'kind': 'absent', 'path': ''}) }}{% endif %}
    {{ return({
        'kind': 'database', 'name': table.name, 'header': table.header,
        'file': table.path, 'path': 'read_parquet(' ~ text_literal(table.path) ~ ')',
        'row_count': table.row_count,
    }) }}
{%- endmacro %}

{#- Fetches the columns that the input reads, of all rows or of those since a time of
    loading, and says how many rows the table has. -#}
{% macro fetch_database_table(spec, source, since=none, watermark=none) -%}
    {% if source.kind != 'database' %}{{ return('') }}{% endif %}
    {% set columns = data_file_columns(spec, source) %}
    {% set names = [] %}
    {% for position in columns.positions.values() if position is not none %}
        {% set name = columns.headers[position] %}
        {% if name not in names %}{% do names.append(name) %}{% endif %}
    {% endfor %}
    {% set request = {
        'table': source.name, 'names': names, 'path': source.file, 'since': since,
        'watermark': watermark,
    } %}
    {% set fetched = ask_database('postgres_fetch(' ~ text_literal(tojson(request)) ~ ')') %}
    {% do log(
        'Fetched ' ~ fetched.fetched ~ ' of ' ~ fetched.row_count ~ ' rows of ' ~ source.name
        ~ (' since ' ~ since if since else ''), info=true
    ) %}
    {% do run_query(
        'update ' ~ data_files_table(spec.table) ~ ' set size = ' ~ fetched.row_count
    ) %}
    {{ return(fetched.row_count) }}
{%- endmacro %}

{#- For note_relation(): fetches the rows loaded since a wall time of the shop, and says how
    many rows there are; none where the server has no time to compare or the rows that
    were read are another table's. The day more covers every time zone. -#}
{% macro fetch_database_window(spec, source, columns, since) -%}
    {% set name, type = (fromjson(source.header)[columns.positions.loaded_at])[:2] %}
    {% if not (type.startswith('timestamp') or type == 'date')
        or database_table(spec).delivery_number is none %}
        {{ return(none) }}
    {% endif %}
    {% set day_before = run_query(
        "select cast(cast('" ~ since ~ "' as timestamp) - interval 1 day as varchar)"
    )[0][0] %}
    {{ return(fetch_database_table(spec, source, day_before, name)) }}
{%- endmacro %}

{#- For the post-hook: the rows that were fetched are read. -#}
{% macro note_database_rows(spec, number) -%}
    {% do run_query(
        'update ' ~ data_files_table(spec.table) ~ ' set row_count = size, delivery_number = '
        ~ number
    ) %}
{%- endmacro %}

{% macro remove_fetched(spec) -%}
    {% if spec.get('database') %}
        {% do ask_database('remove_fetched(' ~ text_literal(spec.table) ~ ')') %}
    {% endif %}
{%- endmacro %}
