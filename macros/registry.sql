{#- The registry of published model versions: created if absent, restored from the
    exports if it is empty, written by publishing alone. -#}

{#- As models/sources.yml has it. -#}
{% macro registry_schema() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {{ return(graph.sources['source.customer_segmentation.registry.current_run'].schema) }}
{%- endmacro %}

{% macro registry_tables() -%}
    {{ return({
        'segment_prototypes': {
            'segmentation': 'string', 'model_version': 'integer', 'as_of_date': 'date',
            'algorithm': 'string', 'cluster_count': 'integer', 'segment_id': 'string',
            'parent_segment_id': 'string', 'segment_name': 'string',
            'persona': 'string', 'prototype_id': 'integer', 'feature': 'string',
            'level': 'string', 'position': 'integer', 'transform': 'string',
            'fill_value': 'double', 'fill_level': 'string', 'lower': 'double',
            'upper': 'double', 'centring': 'double', 'scale': 'double',
            'centre': 'double', 'radius': 'double', 'outlier_segment_id': 'string',
            'training_customers': 'integer', 'changed_by_model_share': 'double',
            'configuration_hash': 'string', 'model_hash': 'string',
            'status': 'string', 'reason': 'string',
        },
        'rfm_cut_points': {
            'model_version': 'integer', 'as_of_date': 'date', 'score': 'integer',
            'maximum_recency_days': 'integer', 'minimum_frequency': 'integer',
            'minimum_monetary': 'decimal(18, 4)', 'churn_horizon_days': 'integer',
            'training_customers': 'integer', 'changed_by_model_share': 'double',
            'configuration_hash': 'string', 'reason': 'string',
        },
        'training_bins': {
            'segmentation': 'string', 'model_version': 'integer', 'feature': 'string',
            'bin_number': 'integer', 'lower': 'double', 'upper': 'double',
            'level': 'string', 'share': 'double', 'customers': 'integer',
        },
        'segment_candidates': {
            'segmentation': 'string', 'model_version': 'integer',
            'algorithm': 'string', 'cluster_count': 'integer', 'inertia': 'double',
            'silhouette': 'double', 'davies_bouldin': 'double',
            'calinski_harabasz': 'double', 'stability': 'double',
            'stability_error': 'double', 'separation': 'double',
            'smallest_share': 'double', 'largest_share': 'double',
            'noise_share': 'double', 'label_agreement': 'double',
            'period_persistence': 'double', 'structure': 'string',
            'is_elbow': 'boolean', 'is_usable': 'boolean', 'is_chosen': 'boolean',
            'status': 'string', 'reason': 'string', 'evidence_key': 'string',
        },
        'customer_months': {
            'customer_id': 'string', 'month_end_date': 'date', 'is_warm_up': 'boolean',
            'recency_days': 'integer', 'tenure_days': 'integer',
            'frequency': 'integer', 'monetary': 'decimal(18, 4)',
            'rfm_frequency': 'integer', 'rfm_monetary': 'decimal(18, 4)',
            'month_purchase_count': 'integer', 'month_revenue': 'decimal(18, 4)',
            'month_given_back_amount': 'decimal(18, 4)', 'rfm_status': 'string',
            'recency_score': 'integer', 'frequency_score': 'integer',
            'monetary_score': 'integer', 'rfm_segment': 'string',
            'rfm_model_version': 'integer', 'lifecycle_state': 'string',
            'policy_hash': 'string',
        },
        'customer_segment_months': {
            'customer_id': 'string', 'segmentation': 'string',
            'month_end_date': 'date', 'segment_id': 'string',
            'model_version': 'integer', 'previous_segment_id': 'string',
            'previous_segment_id_by_this_model': 'string', 'movement': 'string',
            'policy_hash': 'string',
        },
    }) }}
{%- endmacro %}

{% macro create_registry() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do run_query('create schema if not exists ' ~ registry_schema()) %}
    {% do check_same_input() %}
    {% for table, columns in registry_tables().items() %}
        {% set relation = registry_schema() ~ '.' ~ table %}
        {% set typed = [] %}
        {% for column, type in columns.items() %}{% do typed.append(column ~ ' ' ~ type) %}{% endfor %}
        {% do run_query(
            'create table if not exists ' ~ relation ~ ' (' ~ typed | join(', ') ~ ')'
            ~ table_format()
        ) %}
        {#- what a later release added is null in the versions before it -#}
        {% set present = run_query('select * from ' ~ relation ~ ' limit 0').column_names %}
        {% for column, type in columns.items() if column not in present %}
            {% do run_query('alter table ' ~ relation ~ ' add column ' ~ column ~ ' ' ~ type) %}
        {% endfor %}
        {% if run_query('select count(*) from ' ~ relation)[0][0] == 0 %}
            {% do restore_registry_table(relation, table) %}
        {% endif %}
    {% endfor %}
    {% if var('rebuild_into')
        and run_query('select count(*) from ' ~ registry_schema() ~ '.segment_prototypes')[0][0] == 0 %}
        {% do stop(
            'rebuild_into builds a past date by the published models, and none is '
            ~ 'published yet. Build without it first.'
        ) %}
    {% endif %}
{%- endmacro %}

{#- One database and one exports folder hold one input: the models of another must not
    judge its customers. -#}
{% macro check_same_input() -%}
    {% set builds = run_query(
        'select input_name from ' ~ registry_schema() ~ '.current_run'
    ) if knows_its_input() else [] %}
    {% if builds | length > 0 and builds[0][0] != var('input') %}
        {% do stop(
            "the database " ~ (target.path or registry_schema()) ~ " holds the input '" ~ builds[0][0]
            ~ "'. Give '" ~ var('input') ~ "' its own in SEGMENTATION_DB."
        ) %}
    {% endif %}
    {% set manifest = published_manifest() %}
    {% if manifest and manifest.input != var('input') %}
        {% do stop(
            'the exports folder ' ~ current_exports_folder() ~ " holds the input '"
            ~ manifest.input ~ "'. Give '" ~ var('input')
            ~ "' its own in SEGMENTATION_EXPORTS."
        ) %}
    {% endif %}
{%- endmacro %}

{#- Whether a build has left the name of its input. -#}
{% macro knows_its_input() -%}
    {% if not has_table(registry_schema(), 'current_run') %}{{ return(false) }}{% endif %}
    {% set run = run_query('select * from ' ~ registry_schema() ~ '.current_run limit 0') %}
    {{ return('input_name' in run.column_names) }}
{%- endmacro %}

{#- Whether there is a table. -#}
{% macro has_table(schema, name) -%}
    {{ return(adapter.dispatch('has_table', 'customer_segmentation')(schema, name)) }}
{%- endmacro %}

{#- By SQL: in a hook, dbt's own look into a schema that is not in its cache begins a
    transaction that is not committed, and what the hooks write after it is lost. -#}
{% macro default__has_table(schema, name) -%}
    {{ return(run_query(
        "select count(*) from information_schema.tables where table_schema = '"
        ~ schema ~ "' and table_name = '" ~ name
        ~ "' and table_catalog = current_database()"
    )[0][0] > 0) }}
{%- endmacro %}

{% macro spark__has_table(schema, name) -%}
    {% if run_query("show schemas like '" ~ schema ~ "'") | length == 0 %}
        {{ return(false) }}
    {% endif %}
    {{ return(run_query('show tables in ' ~ schema ~ " like '" ~ name ~ "'") | length > 0) }}
{%- endmacro %}

{#- Folder and input of the published set; none where nothing is published. -#}
{% macro published_manifest() -%}
    {{ return(adapter.dispatch('published_manifest', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__published_manifest() -%}
    {{ return(none) }}
{%- endmacro %}

{% macro duckdb__published_manifest() -%}
    {% set path = current_exports_folder() | replace("'", "''") ~ '/manifest.json' %}
    {% if run_query("select count(*) from glob('" ~ path ~ "')")[0][0] == 0 %}
        {{ return(none) }}
    {% endif %}
    {% set row = run_query(
        "select folder, input from read_json('" ~ path
        ~ "', columns = {'folder': 'VARCHAR', 'input': 'VARCHAR'})"
    )[0] %}
    {{ return({'folder': row[0], 'input': row[1]}) }}
{%- endmacro %}

{% macro spark__published_manifest() -%}
    {% set text = adapter.read_text(current_exports_folder() ~ '/manifest.json') %}
    {{ return(fromjson(text) if text else none) }}
{%- endmacro %}

{#- From the export set that the manifest names, if there is one. -#}
{% macro restore_registry_table(relation, table) -%}
    {% set manifest = published_manifest() %}
    {% if not manifest %}{{ return('') }}{% endif %}
    {% for mart, promotion in promotions().items() if promotion.table == table %}
        {% set file = current_exports_folder() ~ '/' ~ manifest.folder ~ '/' ~ mart ~ '.parquet' %}
        {% set rows = published_rows(file, manifest) %}
    {% if rows %}
        {#- what a later release added is not in the files of an earlier one -#}
        {% set found = run_query('select * from ' ~ rows ~ ' limit 0').column_names %}
        {% set columns = promotion.columns | select('in', found) | join(', ') %}
        {% do run_query(
            'insert into ' ~ relation ~ ' by name select ' ~ columns ~ ' from ' ~ rows
            ~ ' where ' ~ promotion.condition
        ) %}
        {% do log('Restored the registry table ' ~ table ~ ' from ' ~ file, info=true) %}
    {% endif %}
    {% endfor %}
{%- endmacro %}

{#- What to select from for the rows of a published file; none where it is absent. -#}
{% macro published_rows(file, manifest) -%}
    {{ return(adapter.dispatch('published_rows', 'customer_segmentation')(file, manifest)) }}
{%- endmacro %}

{% macro duckdb__published_rows(file, manifest) -%}
    {% set path = text_literal(file) %}
    {% set found = run_query('select count(*) from glob(' ~ path ~ ')')[0][0] %}
    {{ return('read_parquet(' ~ path ~ ')' if found else none) }}
{%- endmacro %}

{% macro spark__published_rows(file, manifest) -%}
    {% set stem = (file.split('/') | last).removesuffix('.parquet') %}
    {% for known in manifest.files | map(attribute='name')
        if known == stem ~ '.parquet' or known.startswith(stem ~ '-') %}
        {#- a large table is several files -#}
        {% set pattern = known if known == stem ~ '.parquet' else stem ~ '-*.parquet' %}
        {{ return(
            'parquet.`' ~ adapter.absolute_path(file).removesuffix(stem ~ '.parquet')
            ~ pattern ~ '`'
        ) }}
    {% endfor %}
    {{ return(none) }}
{%- endmacro %}

{#- Where a build publishes to: a rebuilt date beside what is current. -#}
{% macro exports_folder() -%}
    {{ return(
        current_exports_folder()
        ~ ('_' ~ var('rebuild_into') if var('rebuild_into') else '')
    ) }}
{%- endmacro %}

{% macro current_exports_folder() -%}
    {% set name = var('input') if target.name == 'dev' else var('input') ~ '_' ~ target.name %}
    {{ return(env_var('SEGMENTATION_EXPORTS', 'exports/' ~ name)) }}
{%- endmacro %}

{#- What is being run: publishing asks whether it was a full build. -#}
{% macro record_run() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set args = invocation_args_dict %}
    {% set partial = [] %}
    {% if args.get('which') != 'build' %}
        {% do partial.append('the command was dbt ' ~ args.get('which')) %}
    {% endif %}
    {#- a retry runs only what failed, on tables that may have changed since -#}
    {% if ' retry' in (args.get('invocation_command') or '') %}
        {% do partial.append('the command was dbt retry') %}
    {% endif %}
    {% for option in ['empty', 'sample'] if args.get(option) %}
        {% do partial.append('it had --' ~ option) %}
    {% endfor %}
    {#- Of the project that is run all else may be left out, and unit tests, which judge
        the code and not the data. A test of a model that is off is known and never run. -#}
    {% set names = own_nodes() | map(attribute='name') | list %}
    {% set left_out = [] %}
    {% for node in own_nodes() if node.unique_id not in selected_resources
        and not (node.resource_type == 'test'
            and node.refs | rejectattr('name', 'in', names) | list) %}
        {% do left_out.append(node) %}
    {% endfor %}
    {% if left_out %}
        {% set options = [] %}
        {% for option in [
            'select', 'models', 'exclude', 'selector', 'resource_types',
            'exclude_resource_types', 'indirect_selection',
        ] if args.get(option) and args.get(option) != 'eager' %}
            {% do options.append('--' ~ option | replace('_', '-') | replace('types', 'type')) %}
        {% endfor %}
        {% do partial.append(
            'it had ' ~ (options | join(' and ') or 'a selection') ~ ', without '
            ~ left_out[0].name
            ~ (' and ' ~ (left_out | length - 1) ~ ' more' if left_out | length > 1 else '')
        ) %}
    {% endif %}
    {% do replace_table(
        registry_schema() ~ '.current_run',
        "select '" ~ partial | join(', ') | replace("'", "''") ~ "' as partial_because, '"
        ~ var('input') ~ "' as input_name"
    ) %}
{%- endmacro %}

{#- Keeps what the last run measured of the candidates, before this run replaces it:
    the same data under the same configuration need not be measured again. It is
    recognised by its evidence_key; losing it costs time and changes nothing. -#}
{% macro remember_candidates() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {#- a rebuilt date measures nothing worth remembering -#}
    {% if var('rebuild_into') %}{{ return('') }}{% endif %}
    {% set node = graph.nodes.get('model.customer_segmentation.ml_segmentation_candidates') %}
    {% set known = registry_schema() ~ '.known_candidates' %}
    {% if node and has_table(node.schema, node.alias) %}
        {% set query = 'select * from ' ~ node.relation_name %}
    {% else %}
        {% set query = 'select cast(null as ' ~ dbt.type_string() ~ ') as evidence_key where 1 = 0' %}
    {% endif %}
    {% do replace_table(known, query) %}
{%- endmacro %}

{#- A table that is not a model, made anew. -#}
{% macro replace_table(name, query) -%}
    {% do run_query('drop table if exists ' ~ name) %}
    {% do run_query('create table ' ~ name ~ table_format() ~ ' as ' ~ query) %}
{%- endmacro %}

{#- The format of a table that is not a model. -#}
{% macro table_format() -%}
    {{ return(adapter.dispatch('table_format', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__table_format() -%}
    {{ return('') }}
{%- endmacro %}

{% macro spark__table_format() -%}
    {{ return(' using ' ~ env_var('SPARK_FILE_FORMAT', 'parquet')) }}
{%- endmacro %}
