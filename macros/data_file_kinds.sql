{#- What files there are beside delimited text, and how their rows are read on DuckDB: JSON
    lines by its own functions, workbooks by workbook_facts() and workbook_rows() of
    segmentation.duckdb_plugin. -#}

{% macro file_kind(spec, path) -%}
    {% set name = path.lower() %}
    {% if name.endswith('.parquet') %}
        {{ return('parquet') }}
    {% elif modules.re.search('[.](xlsx|xlsm|xlsb|xls|ods)$', name) %}
        {{ return('workbook') }}
    {% elif modules.re.search('[.](jsonl|ndjson|json)([.]gz)?$', name) %}
        {{ return('json_lines') }}
    {% endif %}
    {{ return('fixed_width' if spec.get('fixed_width') else 'text') }}
{%- endmacro %}

{#- For the start of a run: kinds that an engine cannot read. -#}
{% macro check_file_kind(kind, path) -%}
    {{ return(adapter.dispatch('check_file_kind', 'customer_segmentation')(kind, path)) }}
{%- endmacro %}

{% macro default__check_file_kind(kind, path) -%}
    {{ return('') }}
{%- endmacro %}

{% macro spark__check_file_kind(kind, path) -%}
    {% if kind in ['workbook', 'json_lines'] %}
        {% do stop(
            path ~ ' is ' ~ ('a workbook' if kind == 'workbook' else 'a file of JSON lines')
            ~ ', which the target ' ~ target.name ~ ' cannot read. Build on DuckDB '
            ~ '(--target dev), or give CSV or Parquet files.'
        ) %}
    {% endif %}
{%- endmacro %}

{#- ---- workbooks -------------------------------------------------------------------- -#}

{#- The header and the number of rows of a workbook's sheet. -#}
{% macro workbook_facts(spec, path) -%}
    {% do check_plugin(path ~ ' is a workbook', 'save its sheet as CSV') %}
    {% set facts = fromjson(run_query(
        'select workbook_facts(' ~ text_literal(path) ~ ', '
        ~ text_literal(spec.get('sheet') or '') ~ ')'
    )[0][0]) %}
    {% if facts.error %}{% do stop(facts.error) %}{% endif %}
    {{ return({
        'header': tojson(facts.header) if facts.header else '',
        'row_count': facts.row_count,
    }) }}
{%- endmacro %}

{#- Each row is one of the sheet's; blank ones are no rows. -#}
{% macro read_workbook_rows(source, columns, sheet) -%}
with files as (
    select unnest([{{ path_list(source.files).strip('[]') }}]) as path
),

sheet_rows as (
    select
        path,
        unnest(workbook_rows(path, {{ text_literal(sheet or '') }})) as sheet_row
    from files
)

select
    {{ delivery_columns(source) }},
    sheet_row.line as source_line,
    cast(1 as bigint) as line_count,
    cast(null as varchar) as reject_reason,
    cast(null as varchar) as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as varchar)
    {%- else %}nullif(sheet_row.fields[{{ position + 1 }}], '')
    {%- endif %} as {{ name }}
    {%- endfor %}
from sheet_rows
{%- endmacro %}

{#- ---- JSON lines ------------------------------------------------------------------- -#}

{#- The keys that the objects of a file have, as its header, from its lines. -#}
{% macro look_at_json_lines(files) -%}
    {% do look_at_text_files(files, none, true) %}
    {% for file in files %}
        {% set keys = run_query(
            'select cast(to_json(list_sort(list(distinct key))) as varchar) from ('
            ~ 'select unnest(json_keys(line)) as key from ('
            ~ physical_lines([file]) ~ ') as lines where '
            ~ is_json_object('line') ~ ') as keys'
        )[0][0] %}
        {% if file.row_count > 0 and (not keys or file.header.strip().startswith('[')) %}
            {% do stop(
                file.path ~ ' has no JSON lines but one JSON text. Write one object a line, '
                ~ "as jq does: jq -c '.[]' orders.json > orders.jsonl"
            ) %}
        {% endif %}
        {% do file.update({'header': keys or ''}) %}
    {% endfor %}
{%- endmacro %}

{% macro is_json_object(line) -%}
    {{ return('case when json_valid(' ~ line ~ ') then json_type(' ~ line ~ ") = 'OBJECT' end") }}
{%- endmacro %}

{#- Each line is one object. A text is what it says, a number or anything nested its
    JSON. -#}
{% macro read_json_rows(source, columns) -%}
{%- set pointers = [] -%}
{%- for header in columns.headers -%}
    {%- do pointers.append(text_literal('/' ~ header.replace('~', '~0').replace('/', '~1'))) -%}
{%- endfor -%}
with physical as (
    {{ physical_lines(source.files, source.encoding, source.rejects) }}
),

records as (
    select
        path,
        line_number as source_line,
        line as source_row,
        coalesce({{ is_json_object('line') }}, false) as is_record
    from physical
    where trim(line) <> ''
),

extracted as (
    select
        *,
        json_extract_string(
            case when is_record then source_row end, [{{ pointers | join(', ') }}]
        ) as fields
    from records
)

select
    {{ delivery_columns(source) }},
    source_line,
    cast(1 as bigint) as line_count,
    case when not is_record then 'no_json_object' end as reject_reason,
    case when not is_record then source_row end as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as varchar)
    {%- else %}nullif(fields[{{ position + 1 }}], '')
    {%- endif %} as {{ name }}
    {%- endfor %}
from extracted
{%- endmacro %}

{#- ---- hive partitions of Parquet --------------------------------------------------- -#}

{#- The keys of key=value folders that a file lies in, but for those that are columns of
    the file too. -#}
{% macro partition_keys(path, headers) -%}
    {% set keys = [] %}
    {% for folder in path.split('/')[:-1] if '=' in folder %}
        {% set key = folder.split('=')[0] %}
        {% if key and key not in headers and key not in keys %}{% do keys.append(key) %}{% endif %}
    {% endfor %}
    {{ return(keys) }}
{%- endmacro %}

{#- The value of a key in a path, as text. -#}
{% macro partition_value(path, key) -%}
    {% set pattern = '/' ~ modules.re.escape(key) ~ '=([^/]*)/' %}
    {{ return(
        'nullif(url_decode(regexp_extract(' ~ path ~ ', '
        ~ text_literal(pattern) ~ ", 1)), '__HIVE_DEFAULT_PARTITION__')"
    ) }}
{%- endmacro %}
