{#- What dbt-spark does differently here than it would by itself. -#}

{#- The rows of a seed in a few statements, as JSON: dbt-spark binds every value, which
    takes a second for a thousand rows. Seeds are small by their nature. -#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% set types = model['config'].get('column_types', {}) %}
    {% set names = [] %}
    {% set values = [] %}
    {% for column in agate_table.column_names %}
        {% set type = types.get(column, adapter.convert_type(agate_table, loop.index0)) %}
        {% do names.append(column ~ ': string') %}
        {% do values.append('cast(fields.' ~ column ~ ' as ' ~ type ~ ') as ' ~ column) %}
    {% endfor %}
    {% for chunk in agate_table.rows | batch(20000) %}
        {% set rows = [] %}
        {% for row in chunk %}
            {% set fields = {} %}
            {% for column in agate_table.column_names %}
                {% set value = row[loop.index0] %}
                {% do fields.update({column: none if value is none else value | string}) %}
            {% endfor %}
            {% do rows.append(fields) %}
        {% endfor %}
        {% set sql %}
            insert into {{ this.render() }}
            select {{ values | join(', ') }}
            from (
                select explode(from_json(
                    {{ text_literal(tojson(rows)) }},
                    'array<struct<{{ names | join(', ') }}>>'
                )) as fields
            ) as seed
        {% endset %}
        {% do adapter.add_query(sql, abridge_sql_log=True) %}
    {% endfor %}
    {{ return('-- ' ~ agate_table.rows | length ~ ' rows of ' ~ model.original_file_path) }}
{% endmacro %}

{#- What runs after a Python model. dbt-spark's own goes through pandas-on-Spark, which
    does not know pandas 3 and cannot tell the types of an empty frame. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if language == 'python' %}
{{ compiled_code }}
from segmentation.frames import to_spark

dbt = dbtObj(spark.table)
df = to_spark(model(dbt, spark), spark)
df.write.mode("overwrite").format(
    "{{ config.get('file_format', 'parquet') }}"
).option("overwriteSchema", "true").saveAsTable("{{ relation }}")
    {%- else -%}
{{ dbt.spark__create_table_as(temporary, relation, compiled_code, language) }}
    {%- endif -%}
{%- endmacro %}

{#- A date moved by days, weeks, months or years is a date: dbt-spark's own goes through
    timestamps with a zone, which session.timestampType rules out here. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set days = {'day': 1, 'week': 7} -%}
    {%- set months = {'month': 1, 'quarter': 3, 'year': 12} -%}
    {%- if datepart in days -%}
date_add(cast({{ from_date_or_timestamp }} as date), cast(({{ interval }}) * {{ days[datepart] }} as integer))
    {%- elif datepart in months -%}
add_months(cast({{ from_date_or_timestamp }} as date), cast(({{ interval }}) * {{ months[datepart] }} as integer))
    {%- else -%}
{{ dbt.spark__dateadd(datepart, interval, from_date_or_timestamp) }}
    {%- endif -%}
{%- endmacro %}
