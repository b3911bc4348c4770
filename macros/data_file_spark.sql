{#- Reading a user's file on Spark, with the rows, line numbers and reasons that
    macros/data_file.sql has on DuckDB. The lines are read once, by as many tasks as the
    file has blocks, and stored; the number of a line is its place in its block and the
    lines of the blocks before, so that nothing is sorted. No pattern here recurses over
    the length of a line, which would overflow the stack of Java. -#}

{#- The path of the file that a row comes from, as it is named outside Spark. -#}
{% macro spark_path() -%}
    {{ return(
        "regexp_replace(url_decode(replace(_metadata.file_path, '+', '%2B')), '^file:/+', '/')"
    ) }}
{%- endmacro %}

{#- Some files of one folder as Spark takes them: a pattern of their names. -#}
{% macro spark_paths(files) -%}
    {% set names = [] %}
    {% for file in files %}
        {% do names.append(modules.re.sub('([\\\\{}\\[\\]*?,])', '\\\\\\1', file.name)) %}
    {% endfor %}
    {% set pattern = names[0] if names | length == 1 else '{' ~ names | join(',') ~ '}' %}
    {{ return((common_folder(files) ~ pattern) | replace('`', '``')) }}
{%- endmacro %}

{#- Without reading them. A path that is not there ends in Spark's own error, which names
    it. -#}
{% macro spark__find_files(root) -%}
    {% set path = adapter.absolute_path(root) %}
    {% set rows = run_query(
        'select ' ~ spark_path() ~ ' as path, _metadata.file_size as size,'
        ~ ' cast(_metadata.file_modification_time as string) as modified'
        ~ ' from binaryFile.`' ~ path | replace('`', '``') ~ '` order by path'
    ) %}
    {% set is_folder = rows | length > 0 and not modules.re.search('[*?\\[{]', path)
        and rows[0][0] != path %}
    {{ return(named_files(rows, path ~ '/' if is_folder else path, is_folder)) }}
{%- endmacro %}

{% macro spark__parquet_facts(path) -%}
    {% set rows = 'parquet.`' ~ path | replace('`', '``') ~ '`' %}
    {% set columns = [] %}
    {% for row in run_query('describe query select * from ' ~ rows) %}
        {% do columns.append([row[0], row[1]]) %}
    {% endfor %}
    {{ return({
        'columns': columns, 'row_count': run_query('select count(*) from ' ~ rows)[0][0],
    }) }}
{%- endmacro %}

{% macro spark__text_file_facts(files, fixed_width) -%}
    {% set facts = {} %}
    {% for file in files %}
        {% do facts.update({file.path: {
            'header': '', 'broken': 0, 'letters': 0, 'row_count': 0,
            'header_is_broken': false,
        }}) %}
    {% endfor %}
    {% set found = run_query(
        'select path, count_if(not is_sound),'
        ~ ' count_if(is_sound and octet_length(value) > char_length(value)),'
        ~ ' count_if(' ~ ('trim(value)' if fixed_width else 'value') ~ " <> '')"
        ~ ' from (select ' ~ spark_path() ~ ' as path, value,'
        ~ ' is_valid_utf8(value) as is_sound'
        ~ ' from text.`' ~ spark_paths(files) ~ '`) as lines group by path'
    ) %}
    {% set headers = spark_headers(files, 'value') %}
    {% for row in found %}
        {% set header = headers.get(row[0], '') %}
        {% do facts[row[0]].update({
            'header': header, 'broken': row[1], 'letters': row[1] + row[2],
            'row_count': row[3] - (0 if fixed_width else 1),
            'header_is_broken': '\ufffd' in header,
        }) %}
    {% endfor %}
    {{ return(facts) }}
{%- endmacro %}

{% macro spark__decoded_facts(path) -%}
    {% set file = {'path': path, 'name': path.split('/') | last} %}
    {% set headers = spark_headers([file], spark_decoded('value')) %}
    {{ return({'header': headers.get(path, '')}) }}
{%- endmacro %}

{#- The first line of the first block of each file, by path. -#}
{% macro spark_headers(files, line) -%}
    {% set found = run_query(
        'select path, min_by(line, place) from (select ' ~ spark_path() ~ ' as path, '
        ~ line ~ ' as line, _metadata.file_block_start as block,'
        ~ ' monotonically_increasing_id() as place'
        ~ ' from text.`' ~ spark_paths(files) ~ '`) as lines where block = 0 group by path'
    ) %}
    {% set headers = {} %}
    {% for row in found %}{% do headers.update({row[0]: row[1]}) %}{% endfor %}
    {{ return(headers) }}
{%- endmacro %}

{% macro spark_decoded(line) -%}
    {{ return("decode(cast(" ~ line ~ " as binary), 'windows-1252')") }}
{%- endmacro %}

{#- One field of RFC 4180 text at the place where the one before it ended. -#}
{% macro spark_field(delimiter) -%}
    {{ return('"[^"]*+(?:""[^"]*+)*+"|[^"' ~ delimiter ~ '][^' ~ delimiter ~ ']*+|') }}
{%- endmacro %}

{#- Whether a text is a record of so many fields: all but the last come off its front,
    and the rest is one field. -#}
{% macro spark_is_record(line, delimiter, field_count) -%}
    {%- set field = spark_field(delimiter) -%}
    (
        regexp_count({{ line }}, r'\G(?:{{ field }})[{{ delimiter }}]') = {{ field_count - 1 }}
        and regexp_replace({{ line }}, r'\G(?:{{ field }})[{{ delimiter }}]', '')
        rlike r'^(?:{{ field }})\z'
    )
{%- endmacro %}

{#- The stored lines of the groups of files, by the name of their rejects. -#}
{% macro spark_lines_table(rejects) -%}
    {{ return(this.schema ~ '.' ~ rejects | replace('_rejects_', '__lines_')) }}
{%- endmacro %}

{#- For the pre-hook of a model that reads files: their lines, of text files. -#}
{% macro spark__store_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set source = data_file_source(model.config.meta.data_file) %}
    {% for group in source.get('groups', []) if group.kind in ['text', 'fixed_width'] %}
        {% do spark_store_group(group, model.name ~ '_rejects_' ~ group.number) %}
    {% endfor %}
{%- endmacro %}

{% macro spark_store_group(source, rejects) -%}
    {% set field_count = data_file_headers(source) | length %}
    {% set field = spark_field(source.get('delimiter')) %}
    {% set query %}
    with lines as (
        select
            {{ spark_path() }} as path,
            _metadata.file_block_start as block,
            monotonically_increasing_id() as place,
            {% if source.encoding == 'cp1252' -%}
            {{ spark_decoded('value') }} as line,
            true as is_sound
            {%- else -%}
            regexp_replace(make_valid_utf8(value), '\\x{FFFD}', '?') as broken_line,
            value as line,
            is_valid_utf8(value) as is_sound
            {%- endif %}
        from text.`{{ spark_paths(source.files) }}`
    )
    select
        path,
        block,
        place,
        {% if source.encoding == 'cp1252' %}line
        {%- else %}case when is_sound then line else broken_line end as line
        {%- endif %},
        case
            when line = '' then 'blank'
            when not is_sound then 'invalid_encoding'
            when octet_length(line) > 20000000 then 'unreadable_line'
            {% if source.kind == 'text' -%}
            when {{ spark_is_record('line', source.delimiter, field_count) }} then 'record'
            when regexp_replace(line, r'\G(?:{{ field }})[{{ source.delimiter }}]', '')
                rlike r'^"[^"]*+(?:""[^"]*+)*+\z' then 'unclosed_quote'
            else 'wrong_number_of_columns'
            {%- endif %}
        end as kind
    from lines
    {% endset %}
    {% do replace_table(spark_lines_table(rejects), query) %}
{%- endmacro %}

{% macro spark__remove_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set source = data_file_source(model.config.meta.data_file) %}
    {% for group in source.get('groups', []) %}
        {% set table = spark_lines_table(model.name ~ '_rejects_' ~ group.number) %}
        {% do run_query('drop table if exists ' ~ table) %}
    {% endfor %}
{%- endmacro %}

{#- The stored lines with their numbers in their files, as two further CTEs and
    `placed`. -#}
{% macro spark_placed_lines(source) -%}
{%- set lines = spark_lines_table(source.rejects) -%}
blocks as (
    select
        path,
        block,
        min(place) as first_place,
        count(*) as line_count
    from {{ lines }}
    group by path, block
),

offsets as (
    select
        path,
        block,
        coalesce(sum(line_count) over (
            partition by path
            order by block rows between unbounded preceding and 1 preceding
        ), 0) - first_place + 1 as shift
    from blocks
),

placed as (
    select
        lines.path,
        lines.place + offsets.shift as line_number,
        lines.line,
        lines.kind
    from {{ lines }} as lines
    inner join offsets on lines.path = offsets.path and lines.block = offsets.block
)
{%- endmacro %}

{% macro spark__numbered_lines(source) -%}
    with {{ spark_placed_lines(source) }}

    select
        path,
        line_number,
        line,
        case when kind <> 'blank' then kind end as line_fault
    from placed
{%- endmacro %}

{% macro spark__read_text_rows(source, columns) -%}
{%- set delimiter = source.delimiter -%}
with {{ spark_placed_lines(source) }},

classified as (
    select * from placed where line_number > 1
),

-- a quoted field may hold line breaks: an open quote takes the fewest following
-- lines that make it a record, at most 50
reach as (
    select
        path,
        line_number,
        explode(sequence(0, 50)) as step
    from classified
    where kind = 'unclosed_quote'
),

joined as (
    select
        reach.path,
        reach.line_number,
        following.line_number as last_line_number,
        array_join(collect_list(following.line) over (
            partition by reach.path, reach.line_number order by following.line_number
            rows unbounded preceding
        ), chr(10)) as line,
        count(case when following.kind <> 'blank' then 1 end) over (
            partition by reach.path, reach.line_number order by following.line_number
            rows unbounded preceding
        ) as line_count
    from reach
    inner join classified as following
        on reach.path = following.path
        and reach.line_number + reach.step = following.line_number
    where following.kind not in ('invalid_encoding', 'unreadable_line')
),

spans as (
    select
        path,
        line_number,
        min(last_line_number) as last_line_number,
        min_by(line, last_line_number) as line,
        min_by(line_count, last_line_number) as line_count
    from joined
    where {{ spark_is_record('line', delimiter, columns.headers | length) }}
    group by path, line_number
),

inner_lines as (
    select distinct
        path,
        explode(sequence(line_number + 1, last_line_number)) as line_number
    from spans
    where last_line_number > line_number
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
        regexp_extract_all(
            coalesce(spans.line, classified.line),
            r'\G({{ spark_field(delimiter) }})(?:[{{ delimiter }}]|\z)', 1
        ) as fields
    from classified
    left join spans
        on classified.path = spans.path and classified.line_number = spans.line_number
    left join inner_lines
        on classified.path = inner_lines.path
        and classified.line_number = inner_lines.line_number
    where
        classified.kind <> 'blank'
        and (
            inner_lines.line_number is null
            or classified.kind in ('invalid_encoding', 'unreadable_line')
        )
)

select
    {{ delivery_columns(source) }},
    source_line,
    line_count,
    reject_reason,
    case when reject_reason is not null then source_row end as source_row
    {%- for name, position in columns.positions.items() %},
    {% if position is none %}cast(null as string)
    {%- else %}case when reject_reason is null then nullif({{ spark_unquote('fields[' ~ position ~ ']') }}, '') end
    {%- endif %} as {{ name }}
    {%- endfor %}
from records
{%- endmacro %}

{% macro spark_unquote(field) -%}
    case
        when startswith({{ field }}, '"')
            then replace(substr({{ field }}, 2, length({{ field }}) - 2), '""', '"')
        else {{ field }}
    end
{%- endmacro %}

{% macro spark__parquet_rows(files, partitions) -%}
    {{ return(
        '(select *' ~ partitions ~ ' from (select *, _metadata.row_index + 1 as file_line, '
        ~ spark_path() ~ ' as path from parquet.`' ~ spark_paths(files) ~ '`) as placed)'
    ) }}
{%- endmacro %}
