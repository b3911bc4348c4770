{#- Wrong configuration stops the build at its start, with the name of the thing and
    the cure. -#}

{#- What each var may be. -#}
{% macro configuration_rules() -%}
    {{ return({
        'input': 'any', 'inputs': 'any', 'relations': 'any', 'headers': 'any',
        'source_freshness': 'any', 'segmentations': 'any',
        'currency_spellings': 'any', 'exchange_rates': 'any',
        'reporting_currency': 'any', 'time_zone': 'time_zone',
        'as_of_date': 'date', 'earliest_plausible_date': 'date',
        'max_silent_days': 'count', 'late_arrival_days': 'count',
        'duplicate_lines': ['drop', 'keep'], 'returns': ['net', 'ignore'],
        'fees': ['exclude', 'keep'], 'zero_prices': ['exclude', 'keep'],
        'minimum_customers': 'count',
        'churn_horizon_days': 'auto or count', 'new_customer_days': 'count',
        'registry_schema': 'any', 'rebuild_into': 'any', 'rfm_window_months': 'count or null', 'history_months': 'count or null',
        'history_warm_up_days': 'auto or count',
        'cluster_count': 'cluster_count', 'training_sample_size': 'count',
        'random_seed': 'count', 'map_sample_size': 'count',
        'purchase_model': ['mbg_nbd', 'bg_nbd'], 'purchase_prior': ['weak', 'none'],
        'purchase_values': ['all', 'repeat'], 'value_horizon_days': 'positive count',
        'annual_discount_rate': 'share', 'margin_rate': 'share or null',
        'budget': 'count or null',
        'contact_pause_days': 'count', 'universal_control_share': 'share',
        'detectable_lift': 'share', 'campaign_outcome_days': 'positive count',
        'segmentations_enabled': 'any',
        'algorithm': [none, 'kmeans', 'hierarchical', 'dbscan'],
        'refit_policy': ['auto', 'always', 'never'],
        'refit_drift_limit': 'positive number', 'refit_after_days': 'count or null',
        'export_personal_data': [true, false],
    }) }}
{%- endmacro %}

{% macro check_configuration() -%}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do input_settings() %}
    {#- on the command line of another project may be vars of its own -#}
    {% if is_installed() %}
        {% do check_names() %}
    {% else %}
        {% do check_known_keys(invocation_args_dict.get('vars') or {}, 'on the command line') %}
    {% endif %}
    {% do check_known_keys(project_file_vars(), 'in dbt_project.yml') %}
    {% if not is_installed() %}{% do check_database() %}{% endif %}
    {% for name, rule in configuration_rules().items() %}
        {% do check_value(name, var(name, none), rule) %}
    {% endfor %}
    {% do check_rebuild() %}
    {% do check_input_declaration() %}
    {% do check_relations() %}
    {% do check_headers() %}
    {% for name, segmentation in segmentations().items() %}
        {% do check_segmentation(name, segmentation) %}
    {% endfor %}
    {% for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.meta.get('data_file') %}
        {% do check_data_files(node.config.meta.data_file) %}
    {% endfor %}
{%- endmacro %}

{#- Lists what the run reads, and holds the headers of each file against the columns. -#}
{% macro check_data_files(spec) -%}
    {% if is_built_in_this_run(spec.table) %}{{ return('') }}{% endif %}
    {% set kind = source_kind(spec) %}
    {% if kind == 'files' %}
        {% do list_data_files(spec) %}
    {% elif kind == 'database' %}
        {% do list_database_table(spec) %}
    {% elif kind == 'relation' %}
        {% do check_relation(spec) %}
    {% endif %}
    {% set source = data_file_source(spec) %}
    {% for group in source.get('groups', [source]) %}
        {% set columns = data_file_columns(spec, group) %}
        {% if source.kind in ['relation', 'database'] %}
            {% do note_relation(spec, source, columns) %}
        {% endif %}
    {% endfor %}
{%- endmacro %}

{% macro stop(message) -%}
    {{ exceptions.raise_compiler_error('configuration: ' ~ message) }}
{%- endmacro %}

{% macro check_known_keys(given, where) -%}
    {% for name in given if name not in configuration_rules() %}
        {% do stop(
            "unknown var '" ~ name ~ "' " ~ where ~ ". Known vars: "
            ~ (configuration_rules() | list | sort | join(', '))
            ~ ". They are explained in dbt_project.yml."
        ) %}
    {% endfor %}
{%- endmacro %}

{#- The vars that the project file sets for this project. -#}
{% macro project_file_vars() -%}
    {{ return(adapter.dispatch('project_file_vars', 'customer_segmentation')()) }}
{%- endmacro %}

{% macro default__project_file_vars() -%}
    {{ return({}) }}
{%- endmacro %}

{% macro duckdb__project_file_vars() -%}
    {% set content = run_query("select content from read_text('dbt_project.yml')") %}
    {{ return(own_vars(content[0][0] if content | length > 0 else '{}')) }}
{%- endmacro %}

{% macro spark__project_file_vars() -%}
    {{ return(own_vars(adapter.read_text('dbt_project.yml') or '{}')) }}
{%- endmacro %}

{% macro own_vars(text) -%}
    {% set project = fromyaml(text) %}
    {% set all = project.get('vars') or {} %}
    {{ return(all.get('customer_segmentation') or {} if is_installed() else all) }}
{%- endmacro %}

{#- The profile takes the database's name from the command line's input: an input that
    is set in the project file would be built into another input's database. -#}
{% macro check_database() -%}
    {% if target.type == 'duckdb' and target.profile_name == 'segmentation'
        and not env_var('SEGMENTATION_DB', '') and target.database != var('input') %}
        {% do stop(
            "input '" ~ var('input') ~ "' would be built into the database of '"
            ~ target.database ~ "'. Give it on the command line, --vars 'input: "
            ~ var('input') ~ "', or name a database in SEGMENTATION_DB."
        ) %}
    {% endif %}
{%- endmacro %}

{% macro is_count(value) -%}
    {{ return(modules.re.fullmatch('[0-9]+', value | string) is not none) }}
{%- endmacro %}

{% macro check_value(name, value, rule) -%}
    {% set given = "var '" ~ name ~ "' is '" ~ value ~ "'; it must be " %}
    {% if rule is not string %}
        {% if value not in rule %}{% do stop(given ~ (rule | join(' or ')) ~ '.') %}{% endif %}
    {% elif rule == 'count' and not is_count(value) %}
        {% do stop(given ~ 'a whole number, 0 or more.') %}
    {% elif rule == 'positive count' and (not is_count(value) or value | int == 0) %}
        {% do stop(given ~ 'a whole number above 0.') %}
    {% elif rule == 'positive number' and not value | float(-1) > 0 %}
        {% do stop(given ~ 'a number above 0.') %}
    {% elif rule == 'count or null' and value is not none and not is_count(value) %}
        {% do stop(given ~ 'null or a whole number, 0 or more.') %}
    {% elif rule == 'auto or count' and value != 'auto' and not is_count(value) %}
        {% do stop(given ~ "'auto' or a whole number of days.") %}
    {% elif rule in ['share', 'share or null']
        and not (value is none and rule == 'share or null')
        and not 0 <= value | float(-1) <= 1 %}
        {% do stop(given ~ 'a share from 0 to 1.') %}
    {% elif rule == 'cluster_count' and value is not none %}
        {% do check_cluster_count(given, value) %}
    {% elif rule == 'date' and value is not none %}
        {% if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', value | string)
            or run_query("select try_cast('" ~ value ~ "' as date) is null")[0][0] %}
            {% do stop(given ~ "a date like '2024-12-31'.") %}
        {% endif %}
    {% elif rule == 'time_zone' and value not in modules.pytz.all_timezones %}
        {% do stop(given ~ "a time zone's name like 'Europe/Berlin'.") %}
    {% endif %}
{%- endmacro %}

{% macro check_cluster_count(given, value) -%}
    {% if value != 'auto' and not (is_count(value) and 2 <= (value | int) <= 30) %}
        {% do stop(given ~ "'auto' or a whole number from 2 to 30.") %}
    {% endif %}
{%- endmacro %}

{% macro check_rebuild() -%}
    {% if not var('rebuild_into') %}{{ return('') }}{% endif %}
    {% if not modules.re.fullmatch('[a-z][a-z0-9_]*', var('rebuild_into') | string) %}
        {% do stop(
            "var 'rebuild_into' is '" ~ var('rebuild_into')
            ~ "'; it must be a name of small letters, digits and underscores."
        ) %}
    {% endif %}
    {% if not var('as_of_date') %}
        {% do stop("var 'rebuild_into' rebuilds a past date: give it in as_of_date.") %}
    {% endif %}
{%- endmacro %}

{% macro check_input_declaration() -%}
    {% set input = input_settings() %}
    {% set known = [
        'currency', 'timestamp_formats', 'customer_id_pattern', 'attributes',
        'segmentations', 'physical_rows',
    ] %}
    {% for key in input if key not in known and key not in input_contract() %}
        {% do stop(
            "input '" ~ var('input') ~ "' declares '" ~ key ~ "'. Known keys: "
            ~ (known + (input_contract() | list)) | join(', ') ~ '.'
        ) %}
    {% endfor %}
    {% for table, contract in input_contract().items() if has(table) %}
        {% for column in input[table] if column not in contract.required + contract.optional %}
            {% do stop(
                "input '" ~ var('input') ~ "' declares the column '" ~ column ~ "' of "
                ~ table ~ ", which the contract does not have. It has: "
                ~ (contract.required + contract.optional) | join(', ') ~ '.'
            ) %}
        {% endfor %}
        {% for column in contract.required if not has(table, column) %}
            {% do stop(
                "input '" ~ var('input') ~ "' lacks the column '" ~ column ~ "' of " ~ table
                ~ ': map it in models/input/' ~ var('input') ~ ' and list it in dbt_project.yml.'
            ) %}
        {% endfor %}
    {% endfor %}
    {% if input.get('physical_rows', 'own') != 'own' %}
        {% do stop("input '" ~ var('input') ~ "' has physical_rows '" ~ input.physical_rows ~ "'; it must be own or absent.") %}
    {% endif %}
    {% if not has('order_lines') and not has('customers') %}
        {% do stop("input '" ~ var('input') ~ "' declares neither order_lines nor customers.") %}
    {% endif %}
    {% for attribute, kind in customer_attributes().items() if kind not in ['numeric', 'categorical'] %}
        {% do stop(
            "input '" ~ var('input') ~ "' declares the attribute '" ~ attribute ~ "' as '"
            ~ kind ~ "'; it must be numeric or categorical."
        ) %}
    {% endfor %}
{%- endmacro %}

{#- That the var headers names columns which there are. -#}
{% macro check_headers() -%}
    {% set tables = input_contract() | list %}
    {% for table, headers in var('headers').items() %}
        {% if table not in tables %}
            {% do stop(
                "var 'headers' names the table '" ~ table ~ "'. Tables: "
                ~ tables | join(', ') ~ '.'
            ) %}
        {% endif %}
        {% set known = contract_columns(table) %}
        {% for name in headers if name not in known %}
            {% do stop(
                "var 'headers' names the column '" ~ name ~ "' of " ~ table
                ~ '. It has: ' ~ known | join(', ') ~ '.'
            ) %}
        {% endfor %}
    {% endfor %}
{%- endmacro %}

{#- That a relation is there, or an error that says what is. -#}
{% macro check_relation(spec) -%}
    {% set relation = relation_of(spec.table) %}
    {% if relation is string and not has_relation(relation) %}
        {% set parts = relation.split('.') %}
        {% do stop(
            'there is no relation ' ~ relation ~ ' for ' ~ spec.table ~ ' of input '
            ~ "'" ~ var('input') ~ "'. Name the right one in the var "
            ~ 'relations, as {' ~ spec.table ~ ': schema.table}.'
        ) %}
    {% endif %}
{%- endmacro %}

{% macro check_segmentation(name, segmentation) -%}
    {% set where = "segmentation '" ~ name ~ "' " %}
    {% set keys = [
        'description', 'algorithm', 'cluster_count', 'minimum_cluster_count',
        'maximum_cluster_count', 'features',
    ] %}
    {% set known = keys + ['minimum_purchases', 'check_volume'] %}
    {% if not modules.re.fullmatch('[a-z][a-z_]*', name) or name == 'rfm' %}
        {% do stop(where ~ 'must be named in small letters and underscores, and not rfm.') %}
    {% endif %}
    {% for key in segmentation if key not in known %}
        {% do stop(where ~ "has the unknown key '" ~ key ~ "'. Known keys: " ~ known | join(', ') ~ '.') %}
    {% endfor %}
    {% for key in keys if key not in segmentation %}
        {% do stop(where ~ "lacks the key '" ~ key ~ "'.") %}
    {% endfor %}
    {% if segmentation.algorithm not in ['kmeans', 'hierarchical', 'dbscan'] %}
        {% do stop(
            where ~ "has the algorithm '" ~ segmentation.algorithm
            ~ "'. Known: kmeans, hierarchical, dbscan."
        ) %}
    {% endif %}
    {% do check_cluster_count(where ~ "has cluster_count '" ~ segmentation.cluster_count ~ "'; it must be ", segmentation.cluster_count) %}
    {% if not segmentation.features %}
        {% do stop(where ~ 'has no features: name at least one of ' ~ customer_features() | join(', ') ~ '.') %}
    {% endif %}
    {% set lowest = segmentation.minimum_cluster_count | int(0) %}
    {% if not 2 <= lowest <= segmentation.maximum_cluster_count | int(0) <= 30 %}
        {% do stop(where ~ 'needs 2 <= minimum_cluster_count <= maximum_cluster_count <= 30.') %}
    {% endif %}
    {% for feature, given in segmentation.features.items() %}
        {% do check_feature(where, feature, given or {}) %}
    {% endfor %}
{%- endmacro %}

{% macro check_feature(where, feature, given) -%}
    {% if feature not in customer_features() %}
        {% do stop(where ~ "has the unknown feature '" ~ feature ~ "'. Known: " ~ customer_features() | join(', ') ~ '.') %}
    {% endif %}
    {% set preparation = feature_preparation(feature, given) %}
    {% set choices = {
        'transform': ['log1p', 'none'],
        'scaling': ['standard', 'robust', 'min_max', 'none'],
        'missing': ['median', 'most_frequent', 'refuse'],
    } %}
    {% set shares = [
        'maximum_missing_share', 'lower_quantile', 'upper_quantile',
        'maximum_correlation', 'minimum_level_share',
    ] %}
    {% for key, value in preparation.items() %}
        {% if key not in choices and key not in shares %}
            {% do stop(
                where ~ "has the unknown key '" ~ key ~ "' for " ~ feature
                ~ '. Known keys: ' ~ ((choices | list) + shares) | join(', ') ~ '.'
            ) %}
        {% elif key in choices and value not in choices[key] %}
            {% do stop(
                where ~ 'has ' ~ key ~ " '" ~ value ~ "' for " ~ feature
                ~ '; it must be ' ~ choices[key] | join(' or ') ~ '.'
            ) %}
        {% elif key in shares and not 0 <= value | float(-1) <= 1 %}
            {% do stop(where ~ 'has ' ~ key ~ " '" ~ value ~ "' for " ~ feature ~ '; it must be 0 to 1.') %}
        {% endif %}
    {% endfor %}
{%- endmacro %}
