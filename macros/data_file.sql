{#- Reading a user's file with a declared dialect, every physical line accounted
    for. A model that reads a file declares it under config: meta: data_file:
        table: the contract table it is for; var relations may name a relation to read
            in place of the file
        path_variable: the environment variable that holds the path; absent:
            SEGMENTATION_DATA; null: there are no files, relations alone
        database: postgresql, where the rows are in a database's table, of the name that
            relation gives; var relations may give another
        may_be_absent: true where neither a file nor a relation means no rows
        sheet: of workbooks; absent: the first
        encoding: of text files, utf-8 or cp1252; absent: what the file itself says,
            see text_file_facts()
        delimiter: of text files; absent: the one of , ; and TAB that is most frequent
            in the header
        columns: {name: [headers that mean it, first found wins]}; absent: the columns that
            the input declares, under their own names. The var headers has further ones
        fixed_width: {name: [first character, number of them]}; a text file without a
            header and delimiters then. The columns are what a typed source has
        optional: names that may be absent (a null column then); absent: the contract's -#}

{% macro path_variable(spec) -%}
    {{ return(spec.get('path_variable', 'SEGMENTATION_DATA')) }}
{%- endmacro %}

{#- Where the rows are: {kind: relation, database, absent or files, path, groups}. The
    files come in groups that are read alike: {kind: parquet, workbook, json_lines, text or
    fixed_width, path of the first, files, header, and of text encoding and delimiter}. -#}
{% macro data_file_source(spec) -%}
    {% set kind = source_kind(spec) %}
    {% if kind == 'database' %}
        {{ return(database_source(spec)) }}
    {% elif kind == 'relation' %}
        {{ return({'kind': kind, 'path': relation_of(spec.table)}) }}
    {% elif kind == 'absent' %}
        {{ return({'kind': kind, 'path': ''}) }}
    {% endif %}
    {{ return(files_source(spec, data_files(spec))) }}
{%- endmacro %}

{% macro source_kind(spec) -%}
    {% set may_be_absent = spec.get('may_be_absent') %}
    {% if spec.get('database') %}
        {{ return('database') }}
    {% elif relation_of(spec.table) %}
        {{ return(
            'absent' if may_be_absent and not var('relations').get(spec.table)
            and not has_relation(relation_of(spec.table)) else 'relation'
        ) }}
    {% elif may_be_absent and not (path_variable(spec) and env_var(path_variable(spec), '')) %}
        {{ return('absent') }}
    {% elif not path_variable(spec) %}
        {% do stop(
            "input '" ~ var('input') ~ "' reads tables of the warehouse: name them in the var "
            ~ 'relations, as {schema: raw} or {' ~ spec.table ~ ': raw.' ~ spec.table ~ '}.'
        ) %}
    {% endif %}
    {{ return('files') }}
{%- endmacro %}

{% macro files_source(spec, files) -%}
    {% set groups = {} %}
    {#- an empty file among others brings nothing -#}
    {% for file in files if file.header or files | length == 1 or spec.get('fixed_width') %}
        {% set key = (file_kind(spec, file.path), file.encoding, file.header) %}
        {% do groups.setdefault(
            key, dict(file_group(spec, file), number=groups | length + 1)
        ).files.append(file) %}
    {% endfor %}
    {{ return({
        'kind': 'files', 'path': data_root(spec), 'files': files,
        'groups': groups.values() | list,
        'is_many': files | length > 1 or files[0].path != data_root(spec),
    }) }}
{%- endmacro %}

{#- How a file is read, and those like it. -#}
{% macro file_group(spec, file) -%}
    {% set group = {
        'path': file.path, 'files': [], 'header': file.header, 'encoding': file.encoding,
        'kind': file_kind(spec, file.path),
    } %}
    {% if group.kind == 'fixed_width' %}
        {% do group.update({'fields': spec.fixed_width}) %}
    {% elif group.kind == 'text' %}
        {% set frequent = namespace(delimiter=',') %}
        {% for delimiter in [';', '\t']
            if file.header.count(delimiter) > file.header.count(frequent.delimiter) %}
            {% set frequent.delimiter = delimiter %}
        {% endfor %}
        {% do group.update({'delimiter': spec.get('delimiter') or frequent.delimiter}) %}
    {% endif %}
    {{ return(group) }}
{%- endmacro %}

{#- The paths of a group's files as SQL. -#}
{% macro path_list(files) -%}
    {% set paths = [] %}
    {% for file in files %}{% do paths.append("'" ~ file.path | replace("'", "''") ~ "'") %}{% endfor %}
    {{ return(paths[0] if paths | length == 1 else '[' ~ paths | join(', ') ~ ']') }}
{%- endmacro %}

{#- One row a physical line, with its number in its file. Of UTF-8 those that are; the
    others go to a table of rejects, if its name is given (a separator of four control
    bytes occurs in no text). Windows-1252 is decoded in memory by decode_text() of the
    plugin, so that such a file may have 1,000,000,000 bytes of text; UTF-8 is read as a
    stream. -#}
{% macro physical_lines(files, encoding='utf-8', rejects=none) -%}
    {% if encoding == 'cp1252' %}
    select
        path,
        generate_subscripts(lines, 1) as line_number,
        unnest(lines) as line
    from (
        select
            filename as path,
            regexp_split_to_array(decode_text(content), '\r\n|\n|\r') as lines
        from read_blob({{ path_list(files) }})
    ) as decoded
    {%- elif files | length == 1 %}
    select
        '{{ files[0].path | replace("'", "''") }}' as path,
        row_number() over () as line_number,
        {{ stored_lines(files, rejects) }}
    {%- else %}
    -- files come one after the other: a line's number is its place among all, from the
    -- first of its file
    select
        path,
        place - min(place) over (partition by path) + 1 as line_number,
        line
    from (
        select
            path,
            row_number() over () as place,
            {{ stored_lines(files, rejects) }}
    ) as placed
    {%- endif %}
{%- endmacro %}

{% macro stored_lines(files, rejects) -%}
    rtrim(coalesce(line, ''), chr(13)) as line
    from read_csv(
        {{ path_list(files) }}, header = false, auto_detect = false,
        delim = E'\x01\x02\x03\x04', quote = '', escape = '', strict_mode = false,
        columns = {'line': 'VARCHAR'}, max_line_size = 20000000, ignore_errors = true
        {%- if files | length > 1 %}, filename = 'path'{% endif %}
        {%- if rejects %}, store_rejects = true, rejects_limit = 0,
        rejects_table = '{{ rejects }}', rejects_scan = '{{ rejects }}_scan'
        {%- endif %}
    )
{%- endmacro %}

{#- For the post-hook of a model that reads a file, which alone sees its connection's
    rejects: adds the lines that are not UTF-8 to the quarantine's way, and gives the lines after
    them the numbers that they have in the file. -#}
{% macro add_rejected_lines() -%}
    {{ return(adapter.dispatch('remove_lines', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__remove_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set found = run_query(
        "select table_name from duckdb_tables() where starts_with(table_name, '"
        ~ model.name ~ "_rejects_') and not ends_with(table_name, '_scan')"
    ) %}
    {% for row in found %}
        {% do add_rejects(row[0], data_files(model.config.meta.data_file)) %}
    {% endfor %}
    {% do remove_fetched(model.config.meta.data_file) %}
    {% do end_increment() %}
{%- endmacro %}

{% macro add_rejects(rejects, files) -%}
    {% if run_query('select count(*) from ' ~ rejects)[0][0] > 0 %}
        {% set names = [] %}
        {% for file in files %}
            {% do names.append(
                '(' ~ text_literal(file.path) ~ ', ' ~ text_literal(file.name) ~ ')'
            ) %}
        {% endfor %}
        {% set rejected %}
            with named (file_path, source_file) as (values {{ names | join(', ') }}),

            rejected as (
                select
                    named.source_file,
                    lines.line,
                    max(lines.csv_line) as csv_line,
                    max(lines.error_type) as error_type,
                    row_number() over (
                        partition by named.source_file order by lines.line
                    ) as reject_number
                from {{ rejects }} as lines
                inner join {{ rejects }}_scan as scans using (scan_id, file_id)
                inner join named using (file_path)
                group by named.source_file, lines.line
            )
        {% endset %}
        {% set number = next_delivery() %}
        {% do run_query(
            rejected ~ ' update ' ~ this ~ ' as lines set source_line = source_line + ('
            ~ ' select count(*) from rejected'
            ~ ' where rejected.source_file = lines.source_file'
            ~ ' and rejected.line - rejected.reject_number < lines.source_line)'
            ~ ' where delivery_number = ' ~ number
            ~ ' and source_file in (select source_file from rejected)'
        ) %}
        {% do run_query(
            'insert into ' ~ this ~ ' by name ' ~ rejected
            ~ ' select line as source_line, 1 as line_count, source_file, '
            ~ number ~ ' as delivery_number,'
            ~ " case error_type when 'INVALID ENCODING' then 'invalid_encoding'"
            ~ " else 'unreadable_line' end as reject_reason,"
            ~ ' trim(csv_line, chr(10) || chr(13)) as source_row from rejected'
        ) %}
    {% endif %}
    {% do run_query('delete from ' ~ rejects) %}
    {% do run_query('delete from ' ~ rejects ~ '_scan') %}
{%- endmacro %}

{#- A regular expression for one field of RFC 4180 text; two without a group. -#}
{% macro field_pattern(delimiter) -%}
    {{ return('"(?:[^"]|"")*"|[^"' ~ delimiter ~ '][^' ~ delimiter ~ ']*|') }}
{%- endmacro %}

{#- The headers of a group of files, or of a relation, in order. -#}
{% macro data_file_headers(source) -%}
    {% if source.kind == 'absent' %}
        {{ return([]) }}
    {% elif source.kind == 'relation' %}
        {{ return(run_query('select * from ' ~ source.path ~ ' limit 0').column_names | list) }}
    {% elif source.kind in ['workbook', 'json_lines'] %}
        {{ return(fromjson(source.header)) }}
    {% elif source.kind in ['parquet', 'database'] %}
        {% set names = [] %}
        {% for column in fromjson(source.header) %}{% do names.append(column[0]) %}{% endfor %}
        {{ return(names) }}
    {% elif source.kind == 'fixed_width' %}
        {{ return(source.fields | list) }}
    {% endif %}
    {% set fields = modules.re.findall(
        '(' ~ field_pattern(source.delimiter) ~ ')(?:'
        ~ modules.re.escape(source.delimiter) ~ '|$)',
        source.header
    ) %}
    {% set headers = [] %}
    {% for field in fields[:-1] %}
        {% do headers.append(field.lstrip('\ufeff').strip().strip('"').replace('""', '"')) %}
    {% endfor %}
    {{ return(headers) }}
{%- endmacro %}

{#- The columns of a table that the input declares and a source may have. -#}
{% macro contract_columns(table) -%}
    {% set contract = input_contract()[table] %}
    {% set names = [] %}
    {% for name in contract.required + contract.optional
        if has(table, name) and name not in [
            'delivery_number', 'source_file', 'source_line', 'source_row', 'reject_reason',
        ] %}
        {% do names.append(name) %}
    {% endfor %}
    {{ return(names + (customer_attributes() | list if table == 'customers' else [])) }}
{%- endmacro %}

{#- The headers that mean a column, by name: those of the var before the input's own. -#}
{% macro column_spellings(spec) -%}
    {% set spellings = dict(spec.get('columns') or {}) %}
    {% for name in contract_columns(spec.table) if not spec.get('columns') %}
        {% do spellings.update({name: [name]}) %}
    {% endfor %}
    {% for name, further in (var('headers').get(spec.table) or {}).items() %}
        {% set given = [further] if further is string else further %}
        {% do spellings.update({name: given + spellings.get(name, [])}) %}
    {% endfor %}
    {{ return(spellings) }}
{%- endmacro %}

{% macro fold_header(header) -%}
    {{ return(modules.re.sub('[\\W_]', '', header.lower())) }}
{%- endmacro %}

{#- Name -> header that means it (none where an optional one is absent), or an error
    that names the file, the column and what is there. -#}
{% macro data_file_columns(spec, source) -%}
    {% set headers = data_file_headers(source) %}
    {#- headers are alike if their letters and digits are, in any case -#}
    {% set folded = [] %}
    {% for header in headers %}{% do folded.append(fold_header(header)) %}{% endfor %}
    {% set positions = {} %}
    {% set optional = spec.get('optional', [] if spec.get('columns')
        else input_contract()[spec.table].optional) %}
    {% for name, spellings in column_spellings(spec).items() %}
        {% set found = [] %}
        {% for spelling in spellings if fold_header(spelling) in folded %}
            {% do found.append(folded.index(fold_header(spelling))) %}
        {% endfor %}
        {% if not found and source.kind != 'absent' and name not in optional %}
            {{ exceptions.raise_compiler_error(
                source.get('name', source.path) ~ " lacks the column " ~ (spellings | join(' or '))
                ~ " that input '" ~ var('input') ~ "' needs. It has: "
                ~ (headers | join(', ')) ~ ". Rename the column in the file, or add its "
                ~ "header to the input's data_file columns or to the var headers."
            ) }}
        {% endif %}
        {% do positions.update({name: (found | first) if found else none}) %}
    {% endfor %}
    {{ return({'headers': headers, 'positions': positions}) }}
{%- endmacro %}

{#- The rows of the model's files: its columns by name, and of every row the file, the
    line in it, how many physical lines it takes, the number of the delivery, and of a
    line that is no row of the table the reason and the line itself. The model must
    select these six too, and is a table, because the rejects of reading are known to its
    own connection only. After the first build it reads the files that came since. -#}
{% macro read_data_file() -%}
    {% do config(
        materialized='incremental' if target.type == 'duckdb' else 'table',
        incremental_strategy='append', on_schema_change='fail',
        pre_hook=['{{ store_lines() }}', '{{ begin_increment() }}'],
        post_hook='{{ add_rejected_lines() }}',
    ) %}
    {% if not execute %}
        {% do wait_for_relation(model.name.split('__') | last) %}
        {{ return('select 1 as nothing') }}
    {% endif %}
    {% set spec = model.config.meta.data_file %}
    {% set source = data_file_source(spec) %}
    {% if source.kind != 'files' %}
        {% set columns = data_file_columns(spec, source) %}
        {% if is_built_in_this_run(spec.table) %}
            {% do note_relation(spec, source, columns) %}
        {% endif %}
        {% if is_continued() %}{{ return(new_relation_rows(source, columns)) }}{% endif %}
        {{ return(read_typed_rows(source, columns)) }}
    {% endif %}
    {% set fresh = files_to_read(source) %}
    {% set group = files_source(spec, fresh).groups if fresh else [] %}
    {% set queries = [] %}
    {% for group in group %}
        {% set columns = data_file_columns(spec, group) %}
        {% do group.update({
            'is_many': source.is_many,
            'rejects': model.name ~ '_rejects_' ~ group.number,
        }) %}
        {% if group.kind == 'text' %}
            {% do say_encoding(group) %}
            {% do queries.append(read_text_rows(group, columns)) %}
        {% elif group.kind == 'fixed_width' %}
            {% do queries.append(read_fixed_width_rows(group)) %}
        {% elif group.kind == 'json_lines' %}
            {% do queries.append(read_json_rows(group, columns)) %}
        {% elif group.kind == 'workbook' %}
            {% do queries.append(read_workbook_rows(group, columns, spec.get('sheet'))) %}
        {% else %}
            {% do queries.append(read_typed_rows(group, columns)) %}
        {% endif %}
    {% endfor %}
    {% if is_continued() %}
        {% do log(
            'Reading ' ~ fresh | length ~ ' new of ' ~ source.files | length ~ ' files of '
            ~ source.path, info=true
        ) %}
    {% endif %}
    {% if not queries %}{{ return('select * from ' ~ this ~ ' where 1 = 0') }}{% endif %}
    {% if queries | length == 1 %}{{ return(queries[0]) }}{% endif %}
    {{ return('select * from (\n' ~ queries | join('\n) union all select * from (\n') ~ '\n)') }}
{%- endmacro %}

{#- All files, or those that the table does not hold yet. -#}
{% macro files_to_read(source) -%}
    {% if not is_continued() %}{{ return(source.files) }}{% endif %}
    {% set fresh = [] %}
    {% for file in source.files if file.delivery_number is none %}
        {% do fresh.append(file) %}
    {% endfor %}
    {{ return(fresh) }}
{%- endmacro %}

{% macro say_encoding(group) -%}
    {% for file in group.files if group.encoding == 'cp1252' %}
        {% do log(
            'Reading ' ~ file.path ~ ' as Windows-1252: of its '
            ~ file.letters ~ ' lines with letters beyond ASCII '
            ~ file.broken ~ ' are not UTF-8.', info=true
        ) %}
    {% endfor %}
{%- endmacro %}

{#- What the paths of files have before their names. -#}
{% macro common_folder(files) -%}
    {% set file = files[0] %}
    {{ return(file.path[:file.path | length - file.name | length]) }}
{%- endmacro %}

{#- The file's name and the number of the delivery, for rows of a path. -#}
{% macro delivery_columns(source, path='path') -%}
    {%- if source.files | length == 1 -%}
    {{ text_literal(source.files[0].name) }} as source_file,
    {%- else -%}
    substr({{ path }}, {{ common_folder(source.files) | length + 1 }}) as source_file,
    {%- endif %}
    cast({{ next_delivery() }} as bigint) as delivery_number
{%- endmacro %}

{#- A line must reach into the last field. -#}
{% macro read_fixed_width_rows(source) -%}
{%- set lengths = [] -%}
{%- for start, length in source.fields.values() %}{% do lengths.append(start) %}{% endfor -%}
with numbered as (
    {{ numbered_lines(source) }}
),

records as (
    select
        path,
        line_number as source_line,
        cast(1 as bigint) as line_count,
        line as source_row,
        case
            when line_fault is not null then line_fault
            when length(rtrim(line)) < {{ lengths | max }} then 'wrong_number_of_columns'
        end as reject_reason,
        line
    from numbered
    where trim(line) <> ''
)

select
    {{ delivery_columns(source) }},
    source_line,
    line_count,
    reject_reason,
    case when reject_reason is not null then source_row end as source_row
    {%- for name, (start, length) in source.fields.items() %},
    case
        when reject_reason is null
            then nullif(trim(substr(line, {{ start }}, {{ length }})), '')
    end as {{ name }}
    {%- endfor %}
from records
{%- endmacro %}

{#- One row a line with its number from 1, and why it cannot be read if the engine
    knows that by now. -#}
{% macro numbered_lines(source) -%}
    {{ return(adapter.dispatch('numbered_lines', 'customer_segmentation')(source)) }}
{%- endmacro %}

{% macro default__numbered_lines(source) -%}
    select
        path,
        line_number,
        line,
        cast(null as varchar) as line_fault
    from ({{ physical_lines(source.files, rejects=source.rejects) }}) as lines
{%- endmacro %}

{#- For the pre-hook: what an engine must do before it can read the lines. -#}
{% macro store_lines() -%}
    {{ return(adapter.dispatch('store_lines', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__store_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set spec = model.config.meta.data_file %}
    {#- what a continued table takes in was fetched at the start of the run -#}
    {% if spec.get('database') and not is_continued() %}
        {% do fetch_database_table(spec, database_source(spec)) %}
    {% endif %}
{%- endmacro %}

{#- What to select from for the rows of Parquet files, with their place in it, from 1,
    as file_line, the path, and the partitions that the path names. -#}
{% macro parquet_rows(source) -%}
    {% set headers = fromjson(source.header) %}
    {% set partitions = [] %}
    {% for name, type in headers if type == 'partition' %}
        {% do partitions.append(', ' ~ partition_value('path', name) ~ ' as ' ~ adapter.quote(name)) %}
    {% endfor %}
    {{ return(
        adapter.dispatch('parquet_rows', 'customer_segmentation')(source.files, partitions | join)
    ) }}
{%- endmacro %}

{% macro default__parquet_rows(files, partitions) -%}
    {{ return(
        '(select *, file_row_number + 1 as file_line' ~ partitions ~ ' from read_parquet('
        ~ path_list(files)
        ~ ", file_row_number = true, filename = 'path', hive_partitioning = false))"
    ) }}
{%- endmacro %}

{#- Of one file the types are its own; of many all is text, or the first file's types
    would be forced on the others. -#}
{% macro read_typed_rows(source, columns) -%}
{%- set is_parquet = source.kind == 'parquet' -%}
select
    {% if is_parquet %}{{ delivery_columns(source) }}
    {%- else %}cast(null as {{ dbt.type_string() }}) as source_file,
    cast({{ next_delivery() }} as bigint) as delivery_number
    {%- endif %},
    {% if is_parquet %}file_line{% else %}cast(null as bigint){% endif %} as source_line,
    cast(1 as bigint) as line_count,
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as {{ dbt.type_string() }})
    {%- elif source.get('is_many') %}cast({{ adapter.quote(columns.headers[position]) }} as {{ dbt.type_string() }})
    {%- else %}{{ adapter.quote(columns.headers[position]) }}{% endif %} as {{ name }}
    {%- endfor %}
{% if is_parquet -%}
from {{ parquet_rows(source) }} as numbered
{%- elif source.kind in ['relation', 'database'] -%}
from {{ source.path }}
{%- else -%}
from (select 1 as nothing) as absent
where nothing = 0
{%- endif %}
{%- endmacro %}

{% macro read_text_rows(source, columns) -%}
    {{ return(adapter.dispatch('read_text_rows', 'customer_segmentation')(source, columns)) }}
{%- endmacro %}

{% macro default__read_text_rows(source, columns) -%}
{%- set delimiter = source.delimiter -%}
{%- set field = field_pattern(delimiter) -%}
{%- set groups = [] -%}
{%- for header in columns.headers %}{% do groups.append('(' ~ field ~ ')') %}{% endfor -%}
{#- in brackets a bar is no alternative -#}
{%- set mark = '[' ~ delimiter ~ ']' -%}
{%- set record = '^' ~ groups | join(mark) ~ '$' -%}
{%- set open_quote = '^(?:(?:' ~ field ~ ')' ~ mark ~ ')*"(?:[^"]|"")*$' -%}
with physical as (
    {{ physical_lines(source.files, source.encoding, source.rejects) }}
),

classified as (
    select
        *,
        case
            when line = '' then 'blank'
            when regexp_matches(line, '{{ record }}') then 'record'
            when regexp_matches(line, '{{ open_quote }}') then 'unclosed_quote'
            else 'wrong_number_of_columns'
        end as kind
    from physical
    where line_number > 1
),

-- a quoted field may hold line breaks: an open quote takes the fewest following
-- lines that make it a record, at most 50
joined as (
    select
        opened.path,
        opened.line_number,
        following.line_number as last_line_number,
        string_agg(following.line, chr(10) order by following.line_number)
            over (
                partition by opened.path, opened.line_number
                order by following.line_number
                rows unbounded preceding
            ) as line,
        count(case when following.kind <> 'blank' then 1 end) over (
            partition by opened.path, opened.line_number
            order by following.line_number
            rows unbounded preceding
        ) as line_count
    from classified as opened
    inner join classified as following
        on opened.path = following.path
        and following.line_number between opened.line_number and opened.line_number + 50
    where opened.kind = 'unclosed_quote'
),

spans as (
    select
        path,
        line_number,
        min(last_line_number) as last_line_number,
        arg_min(line, last_line_number) as line,
        arg_min(line_count, last_line_number) as line_count
    from joined
    where regexp_matches(line, '{{ record }}')
    group by path, line_number
),

inner_lines as (
    select distinct
        classified.path,
        classified.line_number
    from classified
    inner join spans
        on classified.path = spans.path
        and classified.line_number > spans.line_number
        and classified.line_number <= spans.last_line_number
),

records as (
    select
        classified.path,
        classified.line_number as source_line,
        cast(coalesce(spans.line_count, 1) as bigint) as line_count,
        case
            when spans.line is null and classified.kind <> 'record' then classified.kind
        end as reject_reason,
        classified.line as source_row,
        regexp_extract(
            coalesce(spans.line, classified.line), '{{ record }}',
            [{% for header in columns.headers %}'c{{ loop.index0 }}'{{ ', ' if not loop.last }}{% endfor %}]
        ) as fields
    from classified
    left join spans
        on classified.path = spans.path and classified.line_number = spans.line_number
    left join inner_lines
        on classified.path = inner_lines.path
        and classified.line_number = inner_lines.line_number
    where inner_lines.line_number is null and classified.kind <> 'blank'
)

select
    {{ delivery_columns(source) }},
    source_line,
    line_count,
    reject_reason,
    case when reject_reason is not null then source_row end as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as varchar)
    {%- else %}case when reject_reason is null then nullif({{ unquote('fields.c' ~ position) }}, '') end
    {%- endif %} as {{ name }}
    {%- endfor %}
from records
{%- endmacro %}

{% macro unquote(field) -%}
    case
        when starts_with({{ field }}, '"')
            then replace(substr({{ field }}, 2, length({{ field }}) - 2), '""', '"')
        else {{ field }}
    end
{%- endmacro %}

{#- The independent count of what the chosen input's files hold: every physical line
    that is not blank, less the header, as counted when the file was first looked at, and
    less the lines that continue a quoted field. Of Parquet, workbooks and relations it is
    the number of rows. An input whose tables are no files counts them itself, in
    <input>__physical_rows. -#}
{% macro count_physical_rows() -%}
    {% if input_settings().get('physical_rows') == 'own' %}
        {{ return('select * from ' ~ input_model('physical_rows')) }}
    {% endif %}
    {#- so that they are built before their lines are counted -#}
    {% for table in input_contract() if has(table) %}{% do input_model(table) %}{% endfor %}
    {% set counts = ["select '' as source_table, 0 as row_count where 1 = 0"] %}
    {% for node in (graph.nodes.values() if execute else [])
        if node.resource_type == 'model' and node.config.meta.get('data_file') %}
        {% do counts.append(count_data_file(node)) %}
    {% endfor %}
    {{ return(counts | join(' union all ')) }}
{%- endmacro %}

{% macro count_data_file(node) -%}
    {% set spec = node.config.meta.data_file %}
    {% set source = data_file_source(spec) %}
    {% set counted = namespace(rows=0) %}
    {#- on DuckDB a file is marked when it is read; Spark reads all -#}
    {% for file in source.get('files', [])
        if target.type != 'duckdb' or file.delivery_number is not none %}
        {% set counted.rows = counted.rows + [file.row_count, 0] | max %}
    {% endfor %}
select
    '{{ spec.table }}' as source_table,
    {% if source.kind == 'files' -%}
    {{ counted.rows }}
    - (select coalesce(sum(line_count - 1), 0) from {{ node.relation_name }})
    {%- elif source.kind == 'relation' -%}
    (select count(*) from {{ source.path }})
    {%- elif source.kind == 'database' -%}
    {{ source.row_count or 0 }}
    {%- else -%}
    0
    {%- endif %} as row_count
{%- endmacro %}
