{#- Reading a user's file on Spark, with the rows, line numbers and reasons that
    macros/data_file.sql has on DuckDB. The lines are read once, by as many tasks as the
    file has blocks, and stored; the number of a line is its place in its block and the
    lines of the blocks before, so that nothing is sorted. No pattern here recurses over
    the length of a line, which would overflow the stack of Java. -#}

{#- Engines name files the same, or the engine's own error names the path. -#}
{% macro spark__existing_path(path, variable) -%}
    {{ return(adapter.absolute_path(path) | replace('`', '``')) }}
{%- endmacro %}

{% macro spark__text_file_facts(path, declared) -%}
    {% set found = run_query(
        'select count_if(not is_sound),'
        ~ ' count_if(is_sound and octet_length(value) > char_length(value))'
        ~ ' from (select value, is_valid_utf8(value) as is_sound'
        ~ ' from text.`' ~ path ~ '`) as lines'
    )[0] %}
    {% set header = spark_header(path, 'value') %}
    {{ return({
        'header': header, 'broken': found[0], 'letters': found[0] + found[1],
        'header_is_broken': '\ufffd' in header,
    }) }}
{%- endmacro %}

{% macro spark__decoded_header(path) -%}
    {{ return(spark_header(path, spark_decoded('value'))) }}
{%- endmacro %}

{#- The first line of the first block. -#}
{% macro spark_header(path, line) -%}
    {% set found = run_query(
        'select ' ~ line ~ ' as header from (select value,'
        ~ ' _metadata.file_block_start as block, monotonically_increasing_id() as place'
        ~ ' from text.`' ~ path ~ '`) as lines where block = 0 order by place limit 1'
    ) %}
    {{ return(found[0][0] if found | length > 0 else '') }}
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

{% macro spark_lines_table(relation) -%}
    {{ return(relation.schema ~ '.' ~ relation.identifier ~ '__lines') }}
{%- endmacro %}

{#- For the pre-hook of a model that reads a file: its lines, of a text file. -#}
{% macro spark__store_lines() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set source = data_file_source(model.config.meta.data_file) %}
    {% if source.kind not in ['text', 'fixed_width'] %}{{ return('') }}{% endif %}
    {% set field_count = data_file_headers(source) | length %}
    {% set field = spark_field(source.get('delimiter')) %}
    {% set query %}
    with lines as (
        select
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
        from text.`{{ source.path }}`
    )
    select
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
    {% do replace_table(spark_lines_table(this), query) %}
{%- endmacro %}

{% macro spark__remove_lines() -%}
    {% if execute %}
        {% do run_query('drop table if exists ' ~ spark_lines_table(this)) %}
    {% endif %}
{%- endmacro %}

{#- The stored lines with their numbers in the file, as two further CTEs and
    `placed`. -#}
{% macro spark_placed_lines() -%}
{%- set lines = spark_lines_table(this) -%}
blocks as (
    select
        block,
        min(place) as first_place,
        count(*) as line_count
    from {{ lines }}
    group by block
),

offsets as (
    select
        block,
        coalesce(sum(line_count) over (
            order by block rows between unbounded preceding and 1 preceding
        ), 0) - first_place + 1 as shift
    from blocks
),

placed as (
    select
        lines.place + offsets.shift as line_number,
        lines.line,
        lines.kind
    from {{ lines }} as lines
    inner join offsets on lines.block = offsets.block
)
{%- endmacro %}

{% macro spark__numbered_lines(source) -%}
    with {{ spark_placed_lines() }}

    select
        line_number,
        line,
        case when kind <> 'blank' then kind end as line_fault
    from placed
{%- endmacro %}

{% macro spark__read_text_rows(source, columns) -%}
{%- set delimiter = source.delimiter -%}
with {{ spark_placed_lines() }},

classified as (
    select * from placed where line_number > 1
),

-- a quoted field may hold line breaks: an open quote takes the fewest following
-- lines that make it a record, at most 50
reach as (
    select
        line_number,
        explode(sequence(0, 50)) as step
    from classified
    where kind = 'unclosed_quote'
),

joined as (
    select
        reach.line_number,
        following.line_number as last_line_number,
        array_join(collect_list(following.line) over (
            partition by reach.line_number order by following.line_number
            rows unbounded preceding
        ), chr(10)) as line,
        count(case when following.kind <> 'blank' then 1 end) over (
            partition by reach.line_number order by following.line_number
            rows unbounded preceding
        ) as line_count
    from reach
    inner join classified as following
        on reach.line_number + reach.step = following.line_number
    where following.kind not in ('invalid_encoding', 'unreadable_line')
),

spans as (
    select
        line_number,
        min(last_line_number) as last_line_number,
        min_by(line, last_line_number) as line,
        min_by(line_count, last_line_number) as line_count
    from joined
    where {{ spark_is_record('line', delimiter, columns.headers | length) }}
    group by line_number
),

inner_lines as (
    select distinct explode(sequence(line_number + 1, last_line_number)) as line_number
    from spans
    where last_line_number > line_number
),

records as (
    select
        classified.line_number as source_line,
        coalesce(spans.line_count, 1) as line_count,
        case
            when spans.line is null and classified.kind <> 'record' then classified.kind
        end as reject_reason,
        classified.line as source_row,
        regexp_extract_all(
            coalesce(spans.line, classified.line),
            r'\G({{ spark_field(delimiter) }})(?:[{{ delimiter }}]|\z)', 1
        ) as fields
    from classified
    left join spans on classified.line_number = spans.line_number
    left join inner_lines on classified.line_number = inner_lines.line_number
    where
        classified.kind <> 'blank'
        and (
            inner_lines.line_number is null
            or classified.kind in ('invalid_encoding', 'unreadable_line')
        )
)

select
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

{% macro spark__parquet_rows(path, numbered) -%}
    {{ return(
        '(select *, _metadata.row_index + 1 as file_line from parquet.`' ~ path ~ '`)'
        if numbered else 'parquet.`' ~ path ~ '`'
    ) }}
{%- endmacro %}

{#- Every line that is not blank but the header, less those that continue a field. -#}
{% macro spark__count_text_rows(source, relation) -%}
    (
        select count(*) - {{ 1 if source.kind == 'text' else 0 }}
        from text.`{{ source.path }}`
        where {{ 'value' if source.kind == 'text' else 'trim(value)' }} <> ''
    )
    - (select coalesce(sum(line_count - 1), 0) from {{ relation }})
{%- endmacro %}
