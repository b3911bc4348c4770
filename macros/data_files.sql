{#- The files that an input reads: one, or all of a folder or a pattern. What a run reads
    is listed once, at its start, in the registry's data_files_<table>: each file with size
    and time of change, and what looking at it said, so that it is looked at once in its
    life. A file that comes later is the next run's. -#}

{% macro data_files_columns() -%}
    {{ return({
        'root': dbt.type_string(),
        'path': dbt.type_string(), 'name': dbt.type_string(), 'size': 'bigint',
        'modified': dbt.type_string(), 'header': dbt.type_string(),
        'encoding': dbt.type_string(), 'broken': 'bigint', 'letters': 'bigint',
        'row_count': 'bigint', 'delivery_number': 'bigint',
    }) }}
{%- endmacro %}

{% macro data_files_table(table) -%}
    {{ return(state_schema() ~ '.data_files_' ~ table) }}
{%- endmacro %}

{#- Whether there is such a table or view; of one in another database the engine says. -#}
{% macro has_relation(name) -%}
    {% set parts = name.replace('"', '').replace('`', '').split('.') %}
    {{ return(
        parts | length > 2
        or has_table(parts[0] if parts | length > 1 else target.schema, parts[-1])
    ) }}
{%- endmacro %}

{#- The path that the user gave, or an error that says how to give it. -#}
{% macro data_root(spec) -%}
    {% set variable = path_variable(spec) %}
    {% set root = env_var(variable, '') %}
    {% if not root %}
        {{ exceptions.raise_compiler_error(
            "input '" ~ var('input') ~ "' reads a file of yours: give its path, or a folder "
            ~ "or a pattern like orders/*.csv, in the environment variable " ~ variable
            ~ " (or: make build INPUT=" ~ var('input') ~ " DATA=<file>)."
        ) }}
    {% endif %}
    {{ return(root) }}
{%- endmacro %}

{#- The files of an input's table as listed at the start of the run; listed now where
    no run has done it, as for dbt show. -#}
{% macro data_files(spec) -%}
    {% set root = data_root(spec) %}
    {% if has_table(state_schema(), 'data_files_' ~ spec.table) %}
        {% set files = listed_files(spec.table, root) %}
        {% if files %}{{ return(files) }}{% endif %}
    {% endif %}
    {{ return(list_data_files(spec)) }}
{%- endmacro %}

{% macro listed_files(table, root) -%}
    {% set rows = run_query(
        'select path, name, size, modified, header, encoding, broken, letters, row_count,'
        ~ ' delivery_number from ' ~ data_files_table(table) ~ ' where root = '
        ~ text_literal(root) ~ ' order by name'
    ) %}
    {% set files = [] %}
    {% for row in rows %}
        {% do files.append({
            'path': row[0], 'name': row[1], 'size': row[2], 'modified': row[3],
            'header': row[4] or '', 'encoding': row[5], 'broken': row[6],
            'letters': row[7], 'row_count': row[8], 'delivery_number': row[9],
        }) %}
    {% endfor %}
    {{ return(files) }}
{%- endmacro %}

{#- Lists the files anew. Those that were there are not looked at again. A file that is
    gone or has changed makes all of them new: the table of their rows is then read whole. -#}
{% macro list_data_files(spec) -%}
    {% set root = data_root(spec) %}
    {% do run_query('create schema if not exists ' ~ state_schema()) %}
    {% set typed = [] %}
    {% for column, type in data_files_columns().items() %}{% do typed.append(column ~ ' ' ~ type) %}{% endfor %}
    {% do run_query(
        'create table if not exists ' ~ data_files_table(spec.table) ~ ' (' ~ typed | join(', ') ~ ')'
        ~ table_format()
    ) %}
    {% set present = adapter.dispatch('find_files', 'customer_segmentation')(root) %}
    {% if not present %}
        {{ exceptions.raise_compiler_error(
            "no such file: " ~ root ~ " (from the environment variable "
            ~ path_variable(spec) ~ ", for input '" ~ var('input') ~ "'; of a folder the "
            ~ "files are read that end in csv, tsv, txt, jsonl, ndjson or json, or that and "
            ~ "gz, or in parquet, xlsx, xlsm, xlsb, xls or ods)."
        ) }}
    {% endif %}
    {% set known = {} %}
    {% for file in listed_files(spec.table, root) %}{% do known.update({file.name: file}) %}{% endfor %}
    {% set files = [] %}
    {% set fresh = [] %}
    {% set still_there = [] %}
    {% for file in present %}
        {% set before = known.get(file.name, {}) %}
        {% if before.get('size') == file.size and before.modified == file.modified
            and before.path == file.path and before.encoding == (spec.get('encoding') or before.encoding) %}
            {% do still_there.append(file.name) %}
            {% do files.append(before) %}
        {% else %}
            {% do fresh.append(file) %}
        {% endif %}
    {% endfor %}
    {% set looked_at = look_at_files(spec, root, fresh) if fresh else [] %}
    {% set elsewhere = run_query(
        'select count(*) from ' ~ data_files_table(spec.table) ~ ' where root <> '
        ~ text_literal(root)
    )[0][0] %}
    {% set is_same = still_there | length == known | length and elsewhere == 0 %}
    {% for file in files if not is_same %}{% do file.update({'delivery_number': none}) %}{% endfor %}
    {% do store_data_files(spec.table, root, files, looked_at, is_same) %}
    {{ return((files + looked_at) | sort(attribute='name')) }}
{%- endmacro %}

{% macro store_data_files(table, root, files, looked_at, is_same) -%}
    {% if is_same and not looked_at %}{{ return('') }}{% endif %}
    {% set is_added = is_same and target.type == 'duckdb' %}
    {% set values = [] %}
    {% for file in (looked_at if is_added else files + looked_at) %}
        {% set literals = [text_literal(root)] %}
        {% for column, type in data_files_columns().items() if column != 'root' %}
            {% set value = file.get(column) %}
            {% do literals.append(
                'null' if value is none
                else text_literal(value) if value is string else value | string
            ) %}
        {% endfor %}
        {% do values.append('(' ~ literals | join(', ') ~ ')') %}
    {% endfor %}
    {% set typed = [] %}
    {% for column, type in data_files_columns().items() %}
        {% do typed.append('cast(' ~ column ~ ' as ' ~ type ~ ') as ' ~ column) %}
    {% endfor %}
    {% set rows = 'select ' ~ typed | join(', ') ~ ' from (values ' ~ values | join(', ')
        ~ ') as files (' ~ data_files_columns() | join(', ') ~ ')' %}
    {% if is_added %}
        {% do run_query('insert into ' ~ data_files_table(table) ~ ' ' ~ rows) %}
    {% else %}
        {% do replace_table(data_files_table(table), rows) %}
    {% endif %}
{%- endmacro %}

{#- Path, name, size and time of change of each file, by name. The name is what follows
    the part of the path that all have. -#}
{% macro default__find_files(root) -%}
    {% set pattern = root | replace("'", "''") %}
    {% set is_folder = run_query("select count(*) from glob('" ~ pattern ~ "')")[0][0] == 0 %}
    {% if is_folder %}{% set pattern = pattern.rstrip('/') ~ '/*' %}{% endif %}
    {#- a folder has hive partitions in folders that are named key=value -#}
    {% set given = [pattern, pattern ~ '=*/**'] if is_folder else [pattern] %}
    {% set patterns = [] %}
    {% for path in given if run_query("select count(*) from glob('" ~ path ~ "')")[0][0] > 0 %}
        {% do patterns.append("'" ~ path ~ "'") %}
    {% endfor %}
    {% if not patterns %}{{ return([]) }}{% endif %}
    {% set rows = run_query(
        'select filename, size, cast(epoch_us(last_modified) as varchar) from read_blob(['
        ~ patterns | join(', ') ~ ']) order by filename'
    ) %}
    {{ return(named_files(rows, pattern if is_folder else root, is_folder)) }}
{%- endmacro %}

{% macro named_files(rows, pattern, is_folder) -%}
    {% set fixed = modules.re.split('[*?\\[]', pattern)[0] %}
    {% set folder = fixed[:fixed.rfind('/') + 1] %}
    {% set files = [] %}
    {% for row in rows %}
        {% set name = row[0][folder | length:] if row[0].startswith(folder) else row[0] %}
        {% if not is_folder or modules.re.search(
            '^([^/._][^/]*=[^/]*/)*[^/._~][^/]*[.]'
            ~ '((csv|tsv|txt|parquet|jsonl|ndjson|json)([.]gz)?|xlsx|xlsm|xlsb|xls|ods)$',
            name.lower()
        ) %}
            {% do files.append({
                'path': row[0], 'name': name, 'size': row[1], 'modified': row[2] or '',
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(files) }}
{%- endmacro %}

{#- What each of some files holds: header, encoding and the number of its rows, or an
    error that names the file. -#}
{% macro look_at_files(spec, root, files) -%}
    {% set of_kind = {} %}
    {% for file in files %}
        {% set kind = file_kind(spec, file.path) %}
        {% do check_file_kind(kind, file.path) %}
        {% do file.update({'encoding': 'utf-8', 'broken': 0, 'letters': 0, 'header': ''}) %}
        {% do of_kind.setdefault(kind, []).append(file) %}
    {% endfor %}
    {% for file in of_kind.get('parquet', []) %}
        {% do file.update(parquet_facts(file.path)) %}
    {% endfor %}
    {% for file in of_kind.get('workbook', []) %}
        {% do file.update(workbook_facts(spec, file.path)) %}
    {% endfor %}
    {% if 'json_lines' in of_kind %}
        {% do look_at_json_lines(of_kind.json_lines) %}
    {% endif %}
    {% for kind in ['text', 'fixed_width'] if kind in of_kind %}
        {% do look_at_text_files(of_kind[kind], spec.get('encoding'), kind == 'fixed_width') %}
    {% endfor %}
    {{ return(files) }}
{%- endmacro %}

{#- The columns of a Parquet file with their types as JSON, partitions among them, and the
    number of its rows. -#}
{% macro parquet_facts(path) -%}
    {% set facts = adapter.dispatch('parquet_facts', 'customer_segmentation')(path) %}
    {% set names = [] %}
    {% for name, type in facts.columns %}{% do names.append(name) %}{% endfor %}
    {% for key in partition_keys(path, names) %}
        {% do facts.columns.append([key, 'partition']) %}
    {% endfor %}
    {{ return({'header': tojson(facts.columns), 'row_count': facts.row_count}) }}
{%- endmacro %}

{% macro default__parquet_facts(path) -%}
    {% set quoted = path | replace("'", "''") %}
    {% set columns = [] %}
    {% for row in run_query("describe select * from read_parquet('" ~ quoted ~ "', hive_partitioning = false)") %}
        {% do columns.append([row[0], row[1]]) %}
    {% endfor %}
    {{ return({
        'columns': columns,
        'row_count': run_query("select count(*) from read_parquet('" ~ quoted ~ "')")[0][0],
    }) }}
{%- endmacro %}

{#- Header and encoding of text files. Without a declaration a file is Windows-1252 if at
    least 9 of 10 lines with a letter beyond ASCII are not UTF-8: of an export in
    Windows-1252 hardly a line happens to be UTF-8 as well, of a UTF-8 file with some
    broken bytes most lines with such letters are sound. Where the only such letter is
    broken it counts as Windows-1252, in which it can be read; declare utf-8 to have
    the line in quarantine. A byte order mark is believed. -#}
{% macro look_at_text_files(files, declared, without_header) -%}
    {% if declared not in [none, 'utf-8', 'cp1252'] %}
        {{ exceptions.raise_compiler_error(
            "the data_file of input '" ~ var('input') ~ "' has the encoding '"
            ~ declared ~ "'; it must be utf-8 or cp1252."
        ) }}
    {% endif %}
    {% set facts = adapter.dispatch('text_file_facts', 'customer_segmentation')(files, without_header) %}
    {% for file in files %}
        {% set its = facts[file.path] %}
        {% do file.update(its) %}
        {% do file.update({'encoding': declared or 'utf-8'}) %}
        {% if not without_header and (declared == 'cp1252'
            or not declared and its.broken > 0 and its.broken >= 0.9 * its.letters) %}
            {% set decoded = adapter.dispatch('decoded_facts', 'customer_segmentation')(file.path) %}
            {% if declared or not decoded.header.startswith('\u00ef\u00bb\u00bf') %}
                {% do file.update({'encoding': 'cp1252'}) %}
                {% do file.update(decoded) %}
            {% endif %}
        {% endif %}
        {% if file.encoding == 'utf-8' and its.header_is_broken and not without_header %}
            {{ exceptions.raise_compiler_error(
                'the header of ' ~ file.path ~ ' is not UTF-8, though '
                ~ (its.letters - its.broken) ~ " lines are. Repair the header, or add "
                ~ "encoding: cp1252 to the data_file of input '" ~ var('input') ~ "'."
            ) }}
        {% endif %}
    {% endfor %}
{%- endmacro %}

{#- By path: of the lines with a letter beyond ASCII, letters, how many are not UTF-8,
    broken; the header as UTF-8; and how many lines are not blank, header apart. -#}
{% macro default__text_file_facts(files, without_header) -%}
    {% set rejects = 'encoding_rejects' %}
    {% for table in [rejects, rejects ~ '_scan'] %}
        {% do run_query('drop table if exists ' ~ table) %}
    {% endfor %}
    {% set facts = {} %}
    {% for file in files %}
        {% do facts.update({file.path: {
            'header': '', 'broken': 0, 'letters': 0, 'row_count': 0,
            'header_is_broken': false,
        }}) %}
    {% endfor %}
    {% set sound = run_query(
        'select path, max(case when line_number = 1 then line end),'
        ~ ' count(case when strlen(line) > length(line) then 1 end),'
        ~ ' count(case when ' ~ ('trim(line)' if without_header else 'line') ~ " <> '' then 1 end)"
        ~ ' from (' ~ physical_lines(files, rejects=rejects) ~ ') as lines group by path'
    ) %}
    {% for row in sound %}
        {% do facts[row[0]].update({
            'header': row[1] or '', 'letters': row[2],
            'row_count': row[3] - (0 if without_header else 1),
        }) %}
    {% endfor %}
    {% set broken = run_query(
        'select file_path, count(distinct line), min(line), count(distinct case when'
        ~ " error_type = 'INVALID ENCODING' then line end) from " ~ rejects
        ~ ' inner join ' ~ rejects ~ '_scan using (scan_id, file_id) group by file_path'
    ) %}
    {% for row in broken %}
        {% set its = facts[row[0]] %}
        {% do its.update({
            'broken': row[3], 'letters': its.letters + row[3],
            'row_count': its.row_count + row[1],
            'header_is_broken': row[2] == 1 and row[3] > 0,
        }) %}
    {% endfor %}
    {{ return(facts) }}
{%- endmacro %}

{#- Header and number of lines of a file in Windows-1252. -#}
{% macro default__decoded_facts(path) -%}
    {% do check_plugin(path ~ ' is in Windows-1252', 'convert the file to UTF-8') %}
    {% set found = run_query(
        'select max(case when line_number = 1 then line end),'
        ~ " count(case when line <> '' then 1 end) - 1"
        ~ ' from (' ~ physical_lines([{'path': path}], 'cp1252') ~ ') as lines'
    )[0] %}
    {{ return({'header': found[0], 'row_count': found[1]}) }}
{%- endmacro %}
