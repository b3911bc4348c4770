{#- Reading a user's file with a declared dialect, every physical line accounted
    for. A raw model declares its file under config: meta: data_file:
        path_variable: the environment variable that holds the path
        table: the contract table it is for; var relations may name a relation to read
            in place of the file
        may_be_absent: true where neither a file nor a relation means no rows
        delimiter: of text files; absent: the one of , ; and TAB that is most frequent
            in the header
        columns: {name: [headers that mean it, first found wins]}
        optional: names that may be absent (a null column then) -#}

{#- The path, or an error that says how to give it. -#}
{% macro data_file_path(spec) -%}
    {% set path = env_var(spec.path_variable, '') %}
    {% if not path %}
        {{ exceptions.raise_compiler_error(
            "input '" ~ var('input') ~ "' reads a file of yours: give its path in the "
            ~ "environment variable " ~ spec.path_variable ~ " (or: make build INPUT="
            ~ var('input') ~ " DATA=<file>)."
        ) }}
    {% endif %}
    {% if run_query("select count(*) from glob('" ~ path | replace("'", "''") ~ "')")[0][0] == 0 %}
        {{ exceptions.raise_compiler_error(
            "no such file: " ~ path ~ " (from the environment variable "
            ~ spec.path_variable ~ ", for input '" ~ var('input') ~ "')."
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
    {% if spec.get('may_be_absent') and not env_var(spec.path_variable, '') %}
        {{ return({'kind': 'absent', 'path': ''}) }}
    {% endif %}
    {% set path = data_file_path(spec) %}
    {% if path.lower().endswith('.parquet') %}
        {{ return({'kind': 'parquet', 'path': path}) }}
    {% endif %}
    {% set lines = run_query(
        'with lines as (' ~ physical_lines(path) ~ ') '
        ~ 'select line from lines where line_number = 1'
    ) %}
    {% set header = (lines[0][0] if lines | length > 0 else none) or '' %}
    {% set frequent = namespace(delimiter=',') %}
    {% for delimiter in [';', '\t'] if header.count(delimiter) > header.count(frequent.delimiter) %}
        {% set frequent.delimiter = delimiter %}
    {% endfor %}
    {{ return({
        'kind': 'text', 'path': path, 'header': header,
        'delimiter': spec.get('delimiter') or frequent.delimiter,
    }) }}
{%- endmacro %}

{#- One row a physical line that is UTF-8; a separator of four control bytes occurs in
    no text. Lines that are not UTF-8 go to a table of rejects, if its name is given. -#}
{% macro physical_lines(path, rejects=none) -%}
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
{%- endmacro %}

{#- For the post-hook of a raw model, which alone sees its connection's rejects: adds
    the lines that are not UTF-8 to the quarantine's way, and gives the lines after
    them the numbers that they have in the file. -#}
{% macro add_rejected_lines() -%}
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
        {{ return(run_query("select * from read_parquet('" ~ source.path ~ "') limit 0").column_names | list) }}
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
    reason and the line itself. -#}
{% macro read_data_file() -%}
    {% if not execute %}{{ return('select 1 as nothing') }}{% endif %}
    {% set spec = model.config.meta.data_file %}
    {% set source = data_file_source(spec) %}
    {% set columns = data_file_columns(spec, source) %}
    {% if source.kind == 'text' %}
        {{ return(read_text_rows(source.path, columns, source.delimiter)) }}
    {% endif %}
    {{ return(read_typed_rows(source, columns)) }}
{%- endmacro %}

{% macro read_typed_rows(source, columns) -%}
select
    {% if source.kind == 'parquet' %}file_row_number + 1{% else %}cast(null as bigint){% endif %} as source_line,
    1 as line_count,
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as {{ dbt.type_string() }})
    {%- else %}{{ adapter.quote(columns.headers[position]) }}{% endif %} as {{ name }}
    {%- endfor %}
{% if source.kind == 'parquet' -%}
from read_parquet('{{ source.path }}', file_row_number = true)
{%- elif source.kind == 'relation' -%}
from {{ source.path }}
{%- else -%}
from (select 1 as nothing) as absent
where nothing = 0
{%- endif %}
{%- endmacro %}

{% macro read_text_rows(path, columns, delimiter) -%}
{%- set field = field_pattern(delimiter) -%}
{%- set groups = [] -%}
{%- for header in columns.headers %}{% do groups.append('(' ~ field ~ ')') %}{% endfor -%}
{%- set record = '^' ~ groups | join(delimiter) ~ '$' -%}
{%- set open_quote = '^(?:(?:' ~ field ~ ')' ~ delimiter ~ ')*"(?:[^"]|"")*$' -%}
with physical as (
    {{ physical_lines(path, rejects=model.name ~ '_rejects') }}
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

{#- How many rows the source of a raw model could have, counted without parsing. -#}
{% macro count_physical_rows(model_name) -%}
    {% if not execute %}{{ return('select 0 as row_count') }}{% endif %}
    {% set node = graph.nodes['model.customer_segmentation.' ~ model_name] %}
    {% set source = data_file_source(node.config.meta.data_file) %}
    {% if source.kind == 'text' %}
    select count(*) - 1 + (
        select count(*)
        from {{ ref(model_name) }}
        where reject_reason in ('invalid_encoding', 'unreadable_line')
    ) as row_count
    from ({{ physical_lines(source.path) }}) as lines
    where line <> ''
    {% elif source.kind == 'parquet' %}
    select count(*) as row_count from read_parquet('{{ source.path }}')
    {% elif source.kind == 'relation' %}
    select count(*) as row_count from {{ source.path }}
    {% else %}
    select 0 as row_count
    {% endif %}
{%- endmacro %}

{#- The independent count of a raw model's rows: every physical line that is not blank,
    less the header and the lines that continue a quoted field. -#}
{% macro physical_rows_of(model_name, table) -%}
select
    '{{ table }}' as source_table,
    counted.row_count - coalesce(continued.line_count, 0) as row_count
from ({{ count_physical_rows(model_name) }}) as counted
cross join (
    select sum(line_count - 1) as line_count
    from {{ ref(model_name) }}
) as continued
{%- endmacro %}
