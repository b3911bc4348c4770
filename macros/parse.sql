{#- Text to types. A value that cannot be read is null; the caller gives the
    reason. Typed sources pass through the same macros unharmed. -#}

{% macro parse_text(column) -%}
    nullif(trim(cast({{ column }} as {{ dbt.type_string() }})), '')
{%- endmacro %}

{#- One spelling of an id: trimmed, upper case, 17850.0 (a float's text) is 17850. -#}
{% macro parse_id(column) -%}
    upper({{ regexp_replace(parse_text(column), '^([0-9]+)[.]0$', 1) }})
{%- endmacro %}

{% macro parse_amount(column) -%}
    try_cast({{ parse_text(column) }} as decimal(18, 4))
{%- endmacro %}

{% macro parse_number(column) -%}
    try_cast({{ parse_text(column) }} as double)
{%- endmacro %}

{% macro parse_boolean(column) -%}
    case
        when lower({{ parse_text(column) }}) in ('true', 'yes', 'y', '1', 't', '1.0')
            then true
        when lower({{ parse_text(column) }}) in ('false', 'no', 'n', '0', 'f', '0.0')
            then false
    end
{%- endmacro %}

{#- Wall time in the shop's time zone. Text with an offset, Z, UTC or GMT is converted,
    text without is the shop's own; then the input's own formats are tried. Words that
    engines take for dates, infinity and epoch, are none. -#}
{% macro parse_timestamp(column) -%}
    {{ return(adapter.dispatch('parse_timestamp', 'customer_segmentation')(column)) }}
{%- endmacro %}

{% macro default__parse_timestamp(column) -%}
    {%- set text = parse_text(column) -%}
    {%- set zoned -%}
        regexp_replace({{ text }}, ' *(Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$', '\1')
    {%- endset -%}
    case
        when not regexp_matches({{ text }}, '^[0-9]') then null
        when regexp_matches(
            {{ text }}, ':[0-9.]+ *(Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$'
        ) then timezone(
            '{{ var("time_zone") }}',
            try_cast(
                regexp_replace({{ zoned }}, '(UTC|GMT)$', 'Z') as timestamptz
            )
        )
        else coalesce(
            try_cast({{ text }} as timestamp)
            {%- for format in input_settings().timestamp_formats %},
            try_strptime({{ text }}, '{{ format }}')
            {%- endfor %}
        )
    end
{%- endmacro %}

{#- Spark takes more for a time than DuckDB, 2024 and 12:30 among it. -#}
{% macro spark__parse_timestamp(column) -%}
    {%- set text = parse_text(column) -%}
    {%- set date = '^[0-9]+-[0-9]{1,2}-[0-9]{1,2}' -%}
    {%- set time = '[ T][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?' -%}
    {%- set zone = ' *(Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$' -%}
    case
        when {{ text }} rlike r'{{ date ~ time ~ zone }}' then cast(from_utc_timestamp(
            try_cast(
                regexp_replace(
                    regexp_replace({{ text }}, r' *(Z|UTC|GMT)$', 'Z'),
                    r' *([+-][0-9]{2}):?([0-9]{2})?$', '$1:$2'
                ) as timestamp_ltz
            ),
            '{{ var("time_zone") }}'
        ) as timestamp_ntz)
        when {{ text }} rlike r'{{ date }}({{ time }})?$'
            then try_cast({{ text }} as timestamp_ntz)
        {%- for format in input_settings().timestamp_formats %}
        when try_to_timestamp({{ text }}, '{{ java_format(format) }}') is not null
            then try_to_timestamp({{ text }}, '{{ java_format(format) }}')
        {%- endfor %}
    end
{%- endmacro %}

{#- strptime's format as Java's; one digit or two, as DuckDB reads them. -#}
{% macro java_format(format) -%}
    {% set words = {
        'd': 'd', 'm': 'M', 'Y': 'yyyy', 'y': 'yy', 'H': 'H', 'I': 'h', 'M': 'm',
        'S': 's', 'p': 'a', 'b': 'MMM', 'B': 'MMMM', 'f': 'SSSSSS',
    } %}
    {% set parts = format.split('%') %}
    {% set written = [parts[0]] %}
    {% for part in parts[1:] %}
        {% if not part or part[0] not in words %}
            {{ exceptions.raise_compiler_error(
                "configuration: the timestamp format '" ~ format ~ "' has a part that "
                ~ 'Spark cannot read. It can read: %' ~ words | join(', %') ~ '.'
            ) }}
        {% endif %}
        {% do written.append(words[part[0]] ~ part[1:]) %}
    {% endfor %}
    {{ return(written | join) }}
{%- endmacro %}

{#- The text with a pattern replaced by one of its groups. -#}
{% macro regexp_replace(text, pattern, group) -%}
    {{ return(adapter.dispatch('regexp_replace', 'customer_segmentation')(text, pattern, group)) }}
{%- endmacro %}

{% macro default__regexp_replace(text, pattern, group) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '\{{ group }}')
{%- endmacro %}

{% macro spark__regexp_replace(text, pattern, group) -%}
    regexp_replace({{ text }}, r'{{ pattern }}', '${{ group }}')
{%- endmacro %}

{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'customer_segmentation')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike r'{{ pattern }}'
{%- endmacro %}

{#- A number in [0, 1) from a text, the same on every engine. -#}
{% macro hash_fraction(text) -%}
    {{ return(adapter.dispatch('hash_fraction', 'customer_segmentation')(text)) }}
{%- endmacro %}

{% macro default__hash_fraction(text) -%}
    cast(concat('0x', substr(md5({{ text }}), 1, 8)) as bigint) / 4294967296.0
{%- endmacro %}

{% macro spark__hash_fraction(text) -%}
    cast(conv(substr(md5({{ text }}), 1, 8), 16, 10) as bigint) / 4294967296.0D
{%- endmacro %}

{#- The ISO code of a currency in one of its spellings; null where none is given. -#}
{% macro currency_code(column) -%}
    {%- set text = 'upper(' ~ parse_text(column) ~ ')' -%}
    case {{ text }}
        {%- for spelling, code in var('currency_spellings').items() %}
        when '{{ spelling | upper }}' then '{{ code }}'
        {%- endfor %}
        else {{ text }}
    end
{%- endmacro %}

{#- First letters large, the rest small: one spelling of a country. -#}
{% macro title_case(text) -%}
    {{ return(adapter.dispatch('title_case', 'customer_segmentation')(text)) }}
{%- endmacro %}

{% macro default__title_case(text) -%}
    case
        when length({{ text }}) <= 3 then upper({{ text }})  -- UK, USA
        else array_to_string(
            list_transform(
                string_split(lower({{ text }}), ' '),
                lambda word: concat(upper(word[1]), word[2:])
            ),
            ' '
        )
    end
{%- endmacro %}

{% macro spark__title_case(text) -%}
    case
        when length({{ text }}) <= 3 then upper({{ text }})  -- UK, USA
        else initcap(lower({{ text }}))
    end
{%- endmacro %}

{#- A text of this project's own as a literal, whatever is in it. -#}
{% macro text_literal(text) -%}
    {{ return(adapter.dispatch('text_literal', 'customer_segmentation')(text)) }}
{%- endmacro %}

{% macro default__text_literal(text) -%}
    {{ return("'" ~ text | replace("'", "''") ~ "'") }}
{%- endmacro %}

{% macro spark__text_literal(text) -%}
    {{ return("'" ~ text | replace('\\', '\\\\') | replace("'", "\\'") ~ "'") }}
{%- endmacro %}
