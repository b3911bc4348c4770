{#- Values as people and programs write them, made plain for the contract. What cannot be
    a value of the kind stays as it is, so that the quarantine shows it. `segmentation
    init` writes these into the models of an input. -#}

{#- A number as text with a decimal point: 1.234,50 € with the decimal mark ',' is
    1234.50; (12.50) and 12.50- are negative. -#}
{% macro plain_number(column, decimal_mark='.') -%}
    {%- set text = parse_text(column) -%}
    {%- set sign = '[-\u2212]?' -%}
    {%- set unit = '(EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|CAD|AUD|kr[.]?|Fr[.]?|Rs[.]?|[$\u20ac\u00a3\u00a5%])?' -%}
    {%- set blank = '[ \u00a0\u202f]*' -%}
    {%- set grouping = "[.' \u00a0\u202f\u2019]" if decimal_mark == ',' else "[,' \u00a0\u202f\u2019]" -%}
    {%- set digits = '([0-9]{1,3}(' ~ grouping ~ '[0-9]{3})+|[0-9]+)?'
        ~ '([' ~ decimal_mark ~ '][0-9]*)?' -%}
    {%- set pattern = '^[(]?' ~ sign ~ blank ~ unit ~ blank ~ sign ~ blank ~ digits ~ blank
        ~ unit ~ '[-\u2212]?[)]?$' -%}
    {%- set kept = regexp_keep(text, '0-9' ~ decimal_mark) -%}
    case
        when {{ matches(text, pattern | replace("'", "''")) }}
            and {{ matches(text, '[0-9]') }}
            then concat(
                case when {{ matches(text, '[-\u2212(]') }} then '-' else '' end,
                {% if decimal_mark == ',' -%}
                replace({{ kept }}, ',', '.')
                {%- else -%}
                {{ kept }}
                {%- endif %}
            )
        else {{ text }}
    end
{%- endmacro %}

{#- An amount as one piece with its price; what was paid back is a piece that came back. -#}
{% macro quantity_of_amount(amount) -%}
    case when cast({{ amount }} as {{ dbt.type_string() }}) like '-%' then '-1' else '1' end
{%- endmacro %}

{% macro price_of_amount(amount) -%}
    replace(cast({{ amount }} as {{ dbt.type_string() }}), '-', '')
{%- endmacro %}

{#- Yes and no in the languages that `segmentation init` reads, as true and false. -#}
{% macro plain_boolean(column) -%}
    {%- set text = 'lower(' ~ parse_text(column) ~ ')' -%}
    case
        when {{ text }} in ('ja', 'j', 'oui', 'o', 'si', 'sí', 's', 'x', 'on',
            'wahr', 'vrai', 'verdadero', 'subscribed') then 'true'
        when {{ text }} in ('nein', 'non', 'off', 'falsch', 'faux', 'falso',
            'unsubscribed') then 'false'
        else {{ text }}
    end
{%- endmacro %}

{#- A time in the first of some formats that fits, as text; before ISO 8601 is tried,
    which would take 05-01-24 for a day of the year 5. -#}
{% macro plain_timestamp(column, formats) -%}
    {%- set text = parse_text(column) -%}
    coalesce(
        {%- for format in formats %}
        cast({{ timestamp_in(text, format) }} as {{ dbt.type_string() }}),
        {%- endfor %}
        {{ text }}
    )
{%- endmacro %}

{#- Seconds, or with unit 1000 thousandths of one, since 1970 as text of a time in UTC. -#}
{% macro plain_epoch(column, unit=1) -%}
    {%- set text = parse_text(column) -%}
    {%- set seconds = 'cast(floor(try_cast(' ~ text ~ ' as double) / ' ~ unit ~ ') as bigint)' -%}
    case
        when {{ seconds }} is null then {{ text }}
        else concat(cast({{ epoch_time(seconds) }} as {{ dbt.type_string() }}), 'Z')
    end
{%- endmacro %}

{% macro regexp_keep(text, characters) -%}
    {{ return(adapter.dispatch('regexp_keep', 'customer_segmentation')(text, characters)) }}
{%- endmacro %}

{% macro default__regexp_keep(text, characters) -%}
    regexp_replace({{ text }}, '[^{{ characters }}]', '', 'g')
{%- endmacro %}

{% macro spark__regexp_keep(text, characters) -%}
    regexp_replace({{ text }}, r'[^{{ characters }}]', '')
{%- endmacro %}

{% macro timestamp_in(text, format) -%}
    {{ return(adapter.dispatch('timestamp_in', 'customer_segmentation')(text, format)) }}
{%- endmacro %}

{% macro default__timestamp_in(text, format) -%}
    try_strptime({{ text }}, '{{ format }}')
{%- endmacro %}

{% macro spark__timestamp_in(text, format) -%}
    try_to_timestamp({{ text }}, '{{ java_format(format) }}')
{%- endmacro %}

{% macro epoch_time(seconds) -%}
    {{ return(adapter.dispatch('epoch_time', 'customer_segmentation')(seconds)) }}
{%- endmacro %}

{% macro default__epoch_time(seconds) -%}
    make_timestamp({{ seconds }} * 1000000)
{%- endmacro %}

{% macro spark__epoch_time(seconds) -%}
    cast(from_utc_timestamp(timestamp_seconds({{ seconds }}), 'UTC') as timestamp_ntz)
{%- endmacro %}
