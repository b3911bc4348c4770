{#- Reading a user's file with a declared dialect, every physical line accounted
    for. A model that reads a file declares it under config: meta: data_file:
        table: the contract table it is for; var relations may name a relation to read
            in place of the file
        path_variable: the environment variable that holds the path; absent:
            SEGMENTATION_DATA
        may_be_absent: true where neither a file nor a relation means no rows
        encoding: of text files, utf-8 or cp1252; absent: what the file itself says,
            see text_file_facts()
        delimiter: of text files; absent: the one of , ; and TAB that is most frequent
            in the header
        columns: {name: [headers that mean it, first found wins]}
        fixed_width: {name: [first character, number of them]}; a text file without a
            header and delimiters then. The columns are what a typed source has
        optional: names that may be absent (a null column then) -#}

{% macro path_variable(spec) -%}
    {{ return(spec.get('path_variable', 'SEGMENTATION_DATA')) }}
{%- endmacro %}

{#- The path, or an error that says how to give it. -#}
{% macro data_file_path(spec) -%}
    {% set variable = path_variable(spec) %}
    {% set path = env_var(variable, '') %}
    {% if not path %}
        {{ exceptions.raise_compiler_error(
            "input '" ~ var('input') ~ "' reads a file of yours: give its path in the "
            ~ "environment variable " ~ variable ~ " (or: make build INPUT="
            ~ var('input') ~ " DATA=<file>)."
        ) }}
    {% endif %}
    {{ return(adapter.dispatch('existing_path', 'customer_segmentation')(path, variable)) }}
{%- endmacro %}

{#- The path as it stands in SQL, or an error if there is no such file. -#}
{% macro default__existing_path(path, variable) -%}
    {% if run_query("select count(*) from glob('" ~ path | replace("'", "''") ~ "')")[0][0] == 0 %}
        {{ exceptions.raise_compiler_error(
            "no such file: " ~ path ~ " (from the environment variable "
            ~ variable ~ ", for input '" ~ var('input') ~ "')."
        ) }}
    {% endif %}
    {{ return(path | replace("'", "''")) }}
{%- endmacro %}

{#- Where the rows are: {kind: relation, parquet, text or absent, path}, of text the
    header line and the delimiter too. -#}
{% macro data_file_source(spec) -%}
    {% set relation = var('relations').get(spec.get('table')) %}
    {% if relation %}
        {{ return({'kind': 'relation', 'path': relation}) }}
    {% endif %}
    {% if spec.get('may_be_absent') and not env_var(path_variable(spec), '') %}
        {{ return({'kind': 'absent', 'path': ''}) }}
    {% endif %}
    {% set path = data_file_path(spec) %}
    {% if path.lower().endswith('.parquet') %}
        {{ return({'kind': 'parquet', 'path': path}) }}
    {% elif spec.get('fixed_width') %}
        {{ return({
            'kind': 'fixed_width', 'path': path, 'encoding': 'utf-8',
            'fields': spec.fixed_width,
        }) }}
    {% endif %}
    {% set facts = text_file_facts(path, spec.get('encoding')) %}
    {% set header = facts.header %}
    {% set frequent = namespace(delimiter=',') %}
    {% for delimiter in [';', '\t'] if header.count(delimiter) > header.count(frequent.delimiter) %}
        {% set frequent.delimiter = delimiter %}
    {% endfor %}
    {{ return({
        'kind': 'text', 'path': path, 'header': header, 'encoding': facts.encoding,
        'facts': facts, 'delimiter': spec.get('delimiter') or frequent.delimiter,
    }) }}
{%- endmacro %}

{#- Header and encoding of a text file. Without a declaration it is Windows-1252 if at
    least 9 of 10 lines with a letter beyond ASCII are not UTF-8: of an export in
    Windows-1252 hardly a line happens to be UTF-8 as well, of a UTF-8 file with some
    broken bytes most lines with such letters are sound. Where the only such letter is
    broken it counts as Windows-1252, in which it can be read; declare utf-8 to have
    the line in quarantine. A byte order mark is believed. -#}
{% macro text_file_facts(path, declared=none) -%}
    {% if declared not in [none, 'utf-8', 'cp1252'] %}
        {{ exceptions.raise_compiler_error(
            "the data_file of input '" ~ var('input') ~ "' has the encoding '"
            ~ declared ~ "'; it must be utf-8 or cp1252."
        ) }}
    {% endif %}
    {% set facts = adapter.dispatch('text_file_facts', 'customer_segmentation')(path, declared) %}
    {% do facts.update({'encoding': declared or 'utf-8'}) %}
    {% if declared == 'cp1252'
        or not declared and facts.broken > 0 and facts.broken >= 0.9 * facts.letters %}
        {% set header = adapter.dispatch('decoded_header', 'customer_segmentation')(path) %}
        {% if declared or not header.startswith('\u00ef\u00bb\u00bf') %}
            {% do facts.update({'encoding': 'cp1252', 'header': header}) %}
        {% endif %}
    {% endif %}
    {% if facts.encoding == 'utf-8' and facts.header_is_broken %}
        {{ exceptions.raise_compiler_error(
            'the header of ' ~ path ~ ' is not UTF-8, though '
            ~ (facts.letters - facts.broken) ~ " lines are. Repair the header, or add "
            ~ "encoding: cp1252 to the data_file of input '" ~ var('input') ~ "'."
        ) }}
    {% endif %}
    {{ return(facts) }}
{%- endmacro %}

{#- Of the lines with a letter beyond ASCII, letters, how many are not UTF-8, broken;
    and the header as UTF-8. -#}
{% macro default__text_file_facts(path, declared) -%}
    {% set rejects = 'encoding_rejects' %}
    {% for table in [rejects, rejects ~ '_scan'] %}
        {% do run_query('drop table if exists ' ~ table) %}
    {% endfor %}
    {% set sound = run_query(
        'select max(case when line_number = 1 then line end),'
        ~ ' count(case when strlen(line) > length(line) then 1 end)'
        ~ ' from (' ~ physical_lines(path, rejects=rejects) ~ ') as lines'
    )[0] %}
    {% set broken = run_query(
        'select count(distinct line), coalesce(min(line), 0) from ' ~ rejects
        ~ " where error_type = 'INVALID ENCODING'"
    )[0] %}
    {{ return({
        'header': sound[0] or '', 'broken': broken[0], 'letters': broken[0] + sound[1],
        'header_is_broken': broken[1] == 1,
    }) }}
{%- endmacro %}

{#- The header as Windows-1252. -#}
{% macro default__decoded_header(path) -%}
    {{ return(run_query(
        'select line from (' ~ physical_lines(path, 'cp1252')
        ~ ') as lines where line_number = 1'
    )[0][0]) }}
{%- endmacro %}

{#- One row a physical line. Of UTF-8 those that are; the others go to a table of
    rejects, if its name is given (a separator of four control bytes occurs in no
    text). Windows-1252 is decoded in memory by decode_text() of the plugin, so that
    such a file may have 1,000,000,000 bytes of text; UTF-8 is read as a stream. -#}
{% macro physical_lines(path, encoding='utf-8', rejects=none) -%}
    {% if encoding == 'cp1252' %}
    select
        generate_subscripts(lines, 1) as line_number,
        unnest(lines) as line
    from (
        select regexp_split_to_array(decode_text(content), '\r\n|\n|\r') as lines
        from read_blob('{{ path }}')
    ) as decoded
    {%- else %}
    select
        row_number() over () as line_number,
        rtrim(coalesce(line, ''), chr(13)) as line
    from read_csv(
        '{{ path }}', header = false, auto_detect = false,
        delim = E'\x01\x02\x03\x04', quote = '', escape = '', strict_mode = false,
        columns = {'line': 'VARCHAR'}, max_line_size = 20000000, ignore_errors = true
        {%- if rejects %}, store_rejects = true, rejects_limit = 0,
        rejects_table = '{{ rejects }}', rejects_scan = '{{ rejects }}_scan'
        {%- endif %}
    )
    {%- endif %}
{%- endmacro %}

{#- For the post-hook of a model that reads a file, which alone sees its connection's
    rejects: adds the lines that are not UTF-8 to the quarantine's way, and gives the lines after
    them the numbers that they have in the file. -#}
{% macro add_rejected_lines() -%}
    {{ return(adapter.dispatch('remove_lines', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__remove_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set rejects = model.name ~ '_rejects' %}
    {% set found = run_query(
        "select count(*) from duckdb_tables() where table_name = '" ~ rejects ~ "'"
    )[0][0] %}
    {% if found and run_query('select count(*) from ' ~ rejects)[0][0] > 0 %}
        {% do run_query(
            'with rejected as ('
            ~ ' select distinct line, dense_rank() over (order by line) as reject_number'
            ~ ' from ' ~ rejects ~ ') '
            ~ 'update ' ~ this ~ ' as lines set source_line = source_line + ('
            ~ ' select count(*) from rejected'
            ~ ' where rejected.line - rejected.reject_number < lines.source_line)'
        ) %}
        {% do run_query(
            'insert into ' ~ this ~ ' by name '
            ~ 'select line as source_line, 1 as line_count,'
            ~ " case max(error_type) when 'INVALID ENCODING' then 'invalid_encoding'"
            ~ " else 'unreadable_line' end as reject_reason,"
            ~ ' max(trim(csv_line, chr(10) || chr(13))) as source_row'
            ~ ' from ' ~ rejects ~ ' group by line'
        ) %}
        {% do run_query('delete from ' ~ rejects) %}
    {% endif %}
{%- endmacro %}

{#- A regular expression for one field of RFC 4180 text; two without a group. -#}
{% macro field_pattern(delimiter) -%}
    {{ return('"(?:[^"]|"")*"|[^"' ~ delimiter ~ '][^' ~ delimiter ~ ']*|') }}
{%- endmacro %}

{#- The headers of the source, in order. -#}
{% macro data_file_headers(source) -%}
    {% if source.kind == 'absent' %}
        {{ return([]) }}
    {% elif source.kind == 'relation' %}
        {{ return(run_query('select * from ' ~ source.path ~ ' limit 0').column_names | list) }}
    {% elif source.kind == 'parquet' %}
        {{ return(run_query('select * from ' ~ parquet_rows(source.path) ~ ' limit 0').column_names | list) }}
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

{% macro fold_header(header) -%}
    {{ return(modules.re.sub('[^a-z0-9]', '', header.lower())) }}
{%- endmacro %}

{#- Name -> header that means it (none where an optional one is absent), or an error
    that names the file, the column and what is there. -#}
{% macro data_file_columns(spec, source) -%}
    {% set headers = data_file_headers(source) %}
    {#- headers are alike if their letters and digits are, in any case -#}
    {% set folded = [] %}
    {% for header in headers %}{% do folded.append(fold_header(header)) %}{% endfor %}
    {% set positions = {} %}
    {% for name, spellings in spec.columns.items() %}
        {% set found = [] %}
        {% for spelling in spellings if fold_header(spelling) in folded %}
            {% do found.append(folded.index(fold_header(spelling))) %}
        {% endfor %}
        {% if not found and source.kind != 'absent' and name not in spec.get('optional', []) %}
            {{ exceptions.raise_compiler_error(
                source.path ~ " lacks the column " ~ (spellings | join(' or '))
                ~ " that input '" ~ var('input') ~ "' needs. It has: "
                ~ (headers | join(', ')) ~ ". Rename the column in the file, or add its "
                ~ "header to the input's data_file columns."
            ) }}
        {% endif %}
        {% do positions.update({name: (found | first) if found else none}) %}
    {% endfor %}
    {{ return({'headers': headers, 'positions': positions}) }}
{%- endmacro %}

{#- The rows of the model's file: its columns by name, and of every row the line,
    how many physical lines it takes, and of a line that is no row of the table the
    reason and the line itself. The model must select these four too, and is a table,
    because the rejects of reading are known to its own connection only. -#}
{% macro read_data_file() -%}
    {% do config(
        materialized='table',
        pre_hook='{{ store_lines() }}', post_hook='{{ add_rejected_lines() }}',
    ) %}
    {% if not execute %}{{ return('select 1 as nothing') }}{% endif %}
    {% set spec = model.config.meta.data_file %}
    {% set source = data_file_source(spec) %}
    {% set columns = data_file_columns(spec, source) %}
    {% if source.kind == 'text' %}
        {% if source.encoding == 'cp1252' %}
            {% do log(
                'Reading ' ~ source.path ~ ' as Windows-1252: of its '
                ~ source.facts.letters ~ ' lines with letters beyond ASCII '
                ~ source.facts.broken ~ ' are not UTF-8.', info=true
            ) %}
        {% endif %}
        {{ return(read_text_rows(source, columns)) }}
    {% elif source.kind == 'fixed_width' %}
        {{ return(read_fixed_width_rows(source)) }}
    {% endif %}
    {{ return(read_typed_rows(source, columns)) }}
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
        line_number as source_line,
        1 as line_count,
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
        line_number,
        line,
        cast(null as varchar) as line_fault
    from ({{ physical_lines(source.path, rejects=model.name ~ '_rejects') }}) as lines
{%- endmacro %}

{#- For the pre-hook: what an engine must do before it can read the lines. -#}
{% macro store_lines() -%}
    {{ return(adapter.dispatch('store_lines', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__store_lines() -%}
    {{ return('') }}
{%- endmacro %}

{#- What to select from for the rows of a Parquet file; numbered: with their place in
    it, from 1, as file_line. -#}
{% macro parquet_rows(path, numbered=false) -%}
    {{ return(adapter.dispatch('parquet_rows', 'customer_segmentation')(path, numbered)) }}
{%- endmacro %}

{% macro default__parquet_rows(path, numbered) -%}
    {{ return(
        "(select *, file_row_number + 1 as file_line from read_parquet('"
        ~ path ~ "', file_row_number = true))"
        if numbered else "read_parquet('" ~ path ~ "')"
    ) }}
{%- endmacro %}

{% macro read_typed_rows(source, columns) -%}
select
    {% if source.kind == 'parquet' %}file_line{% else %}cast(null as bigint){% endif %} as source_line,
    1 as line_count,
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as {{ dbt.type_string() }})
    {%- else %}{{ adapter.quote(columns.headers[position]) }}{% endif %} as {{ name }}
    {%- endfor %}
{% if source.kind == 'parquet' -%}
from {{ parquet_rows(source.path, numbered=true) }} as numbered
{%- elif source.kind == 'relation' -%}
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
{%- set record = '^' ~ groups | join(delimiter) ~ '$' -%}
{%- set open_quote = '^(?:(?:' ~ field ~ ')' ~ delimiter ~ ')*"(?:[^"]|"")*$' -%}
with physical as (
    {{ physical_lines(source.path, source.encoding, model.name ~ '_rejects') }}
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
        opened.line_number,
        following.line_number as last_line_number,
        string_agg(following.line, chr(10) order by following.line_number)
            over (
                partition by opened.line_number order by following.line_number
                rows unbounded preceding
            ) as line,
        count(case when following.kind <> 'blank' then 1 end) over (
            partition by opened.line_number order by following.line_number
            rows unbounded preceding
        ) as line_count
    from classified as opened
    inner join classified as following
        on following.line_number between opened.line_number and opened.line_number + 50
    where opened.kind = 'unclosed_quote'
),

spans as (
    select
        line_number,
        min(last_line_number) as last_line_number,
        arg_min(line, last_line_number) as line,
        arg_min(line_count, last_line_number) as line_count
    from joined
    where regexp_matches(line, '{{ record }}')
    group by line_number
),

inner_lines as (
    select distinct classified.line_number
    from classified
    inner join spans
        on classified.line_number > spans.line_number
        and classified.line_number <= spans.last_line_number
),

records as (
    select
        classified.line_number as source_line,
        coalesce(spans.line_count, 1) as line_count,
        case
            when spans.line is null and classified.kind <> 'record' then classified.kind
        end as reject_reason,
        classified.line as source_row,
        regexp_extract(
            coalesce(spans.line, classified.line), '{{ record }}',
            [{% for header in columns.headers %}'c{{ loop.index0 }}'{{ ', ' if not loop.last }}{% endfor %}]
        ) as fields
    from classified
    left join spans on classified.line_number = spans.line_number
    left join inner_lines on classified.line_number = inner_lines.line_number
    where inner_lines.line_number is null and classified.kind <> 'blank'
)

select
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
    that is not blank, less the header and the lines that continue a quoted field. Of
    Parquet and relations it is the number of rows. An input whose tables are no files
    counts them itself, in <input>__physical_rows. -#}
{% macro count_physical_rows() -%}
    {% if input_settings().get('physical_rows') == 'own' %}
        {{ return('select * from ' ~ input_model('physical_rows')) }}
    {% endif %}
    {#- so that they are built before their rejected lines are counted -#}
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
select
    '{{ spec.table }}' as source_table,
    {% if source.kind in ['text', 'fixed_width'] -%}
    {{ adapter.dispatch('count_text_rows', 'customer_segmentation')(source, node.relation_name) }}
    {%- elif source.kind == 'parquet' -%}
    (select count(*) from {{ parquet_rows(source.path) }})
    {%- elif source.kind == 'relation' -%}
    (select count(*) from {{ source.path }})
    {%- else -%}
    0
    {%- endif %} as row_count
{%- endmacro %}

{% macro default__count_text_rows(source, relation) -%}
    (
        select count(*) - {{ 1 if source.kind == 'text' else 0 }}
        from ({{ physical_lines(source.path, source.encoding) }}) as lines
        where {{ 'line' if source.kind == 'text' else 'trim(line)' }} <> ''
    ) + (
        -- what is no UTF-8 is no line to the reader; what continues a quoted field is
        -- no row
        select coalesce(sum(
            case when reject_reason in ('invalid_encoding', 'unreadable_line') then 1 else 0 end
            - (line_count - 1)
        ), 0)
        from {{ relation }}
    )
{%- endmacro %}
