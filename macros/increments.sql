{#- A run takes in what is new since the last one: docs/decisions/0027. Rows carry the
    number of the delivery that brought them, judged lines the number of the delivery that
    touched them last, and each model of the chain keeps in the registry's table
    `increments` up to which number it has come. The note is written with the model's
    rows in one transaction, so that a run which stops anywhere is taken up by the next.

    A model is made anew where its rows cannot be continued: on --full-refresh, after a
    change of a var, a declaration or the SQL it rests on, where the model before it was
    made anew, and where a file that was read is gone or is another one. -#}

{#- The models that continue, each with the one whose rows it takes in. -#}
{% macro continued_models() -%}
    {{ return({
        'base_order_lines': order_lines_reader(),
        'base_order_lines_judged': 'base_order_lines',
        'int_counted_lines': 'base_order_lines_judged',
        'int_orders': 'base_order_lines_judged',
        'fct_orders': 'base_order_lines_judged',
    }) }}
{%- endmacro %}

{#- Those that renew the orders of int_changed_orders. -#}
{% macro renewing_models() -%}
    {{ return(['int_counted_lines', 'int_orders', 'fct_orders']) }}
{%- endmacro %}

{#- The model that reads the files of order lines; none where they are no files. -#}
{% macro order_lines_reader() -%}
    {{ return(this_run().get('reader')) }}
{%- endmacro %}

{#- What the start of the run noted: {reader, fingerprint}. -#}
{% macro this_run() -%}
    {% if not execute or target.type != 'duckdb'
        or not has_table(state_schema(), 'increments_run') %}
        {{ return({}) }}
    {% endif %}
    {% set row = run_query(
        'select reader, fingerprint, relation_window from ' ~ state_schema()
        ~ '.increments_run'
    )[0] %}
    {{ return({'reader': row[0], 'fingerprint': row[1], 'relation_window': row[2]}) }}
{%- endmacro %}

{#- Where a run keeps what it has read: with the registry, but for a date that is rebuilt,
    whose tables are others. -#}
{% macro state_schema() -%}
    {{ return(
        (var('rebuild_into') ~ '_' if var('rebuild_into') else '') ~ registry_schema()
    ) }}
{%- endmacro %}

{% macro increments_table() -%}
    {{ return(state_schema() ~ '.increments') }}
{%- endmacro %}

{#- For the start of a run. -#}
{% macro create_increments() -%}
    {% if not execute or target.type != 'duckdb' %}{{ return('') }}{% endif %}
    {% do run_query('create schema if not exists ' ~ state_schema()) %}
    {% do run_query(
        'create table if not exists ' ~ increments_table() ~ ' (model_name varchar,'
        ~ ' fingerprint varchar, epoch bigint, upstream_epoch bigint,'
        ~ ' delivery_number bigint, last_plausible_day date,'
        ~ ' since_delivery bigint, since_day date)'
    ) %}
    {% set found = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model'
        and node.config.meta.get('data_file', {}).get('table') == 'order_lines' %}
        {% do found.append(node.name) %}
    {% endfor %}
    {% set reader = "'" ~ found[0] ~ "'"
        if found and has('order_lines', 'delivery_number') else 'null' %}
    {% do replace_table(
        state_schema() ~ '.increments_run',
        'select cast(' ~ reader ~ " as varchar) as reader, '" ~ chain_fingerprint()
        ~ "' as fingerprint, cast(null as varchar) as relation_window"
    ) %}
{%- endmacro %}

{#- The note of a model; none where there is none. -#}
{% macro increment_of(model_name) -%}
    {% if not model_name or target.type != 'duckdb'
        or not has_table(state_schema(), 'increments') %}
        {{ return(none) }}
    {% endif %}
    {% set rows = run_query(
        'select epoch, upstream_epoch, delivery_number, cast(last_plausible_day as varchar),'
        ~ ' since_delivery, cast(since_day as varchar), fingerprint from '
        ~ increments_table() ~ " where model_name = '" ~ model_name ~ "'"
    ) %}
    {% if rows | length == 0 %}{{ return(none) }}{% endif %}
    {{ return({
        'epoch': rows[0][0], 'upstream_epoch': rows[0][1], 'delivery_number': rows[0][2],
        'last_plausible_day': rows[0][3], 'since_delivery': rows[0][4],
        'since_day': rows[0][5], 'fingerprint': rows[0][6],
    }) }}
{%- endmacro %}

{#- What the rows of the chain follow from, beside the data: the SQL, the declaration of
    the input and every var but those that no order line depends on. -#}
{% macro chain_fingerprint() -%}
    {% set later = [
        'segmentations', 'segmentations_enabled', 'cluster_count', 'algorithm',
        'training_sample_size', 'random_seed', 'map_sample_size', 'minimum_customers',
        'churn_horizon_days', 'new_customer_days', 'purchase_model', 'purchase_prior',
        'purchase_values', 'value_horizon_days', 'annual_discount_rate', 'margin_rate',
        'budget', 'export_personal_data', 'inputs', 'source_freshness', 'max_silent_days', 'as_of_date',
        'rebuild_into', 'rfm_window_months', 'history_months', 'history_warm_up_days',
        'refit_policy', 'refit_drift_limit', 'refit_after_days', 'contact_pause_days',
        'universal_control_share', 'detectable_lift', 'campaign_outcome_days',
    ] %}
    {% set facts = [input_settings() | string] %}
    {% for name in configuration_rules() | sort if name not in later %}
        {% do facts.append(name ~ '=' ~ var(name, none)) %}
    {% endfor %}
    {% set names = continued_models() | list + [
        'input_order_lines', 'stg_order_lines', 'int_changed_orders',
        'base_last_plausible_day',
    ] %}
    {% for node in own_nodes() | sort(attribute='unique_id')
        if node.resource_type == 'model'
        and (node.name in names or node.name.startswith(var('input') ~ '__')) %}
        {% do facts.append(node.raw_code ~ (node.config.meta.get('data_file', '') | string)) %}
    {% endfor %}
    {#- installed, this project lies in a folder of the one that is run -#}
    {% set files = ('*/customer_segmentation/' if is_installed() else '') ~ 'macros/*.sql' %}
    {% if run_query("select count(*) from glob('" ~ files ~ "')")[0][0] > 0 %}
        {% do facts.append(run_query(
            "select md5(string_agg(content, '' order by filename))"
            ~ " from read_text('" ~ files ~ "')"
        )[0][0]) %}
    {% endif %}
    {{ return(local_md5(facts | join('\n'))) }}
{%- endmacro %}

{#- The chain's, and for orders as of a date that was asked for the date. -#}
{% macro fingerprint(model_name) -%}
    {% set as_of = var('as_of_date') if model_name in ['int_orders', 'fct_orders'] else none %}
    {{ return((this_run().get('fingerprint') or '') ~ (as_of or '')) }}
{%- endmacro %}

{#- Whether the rows that a model has can be continued. -#}
{% macro continues(model_name) -%}
    {% if not execute or target.type != 'duckdb' or invocation_args_dict.get('empty') %}
        {{ return(false) }}
    {% endif %}
    {% set own = increment_of(model_name) %}
    {% if own is none or own.fingerprint != fingerprint(model_name) %}
        {{ return(false) }}
    {% endif %}
    {% if model_name == order_lines_reader() %}
        {{ return(has_read_files(model_name)) }}
    {% endif %}
    {#- rates may change in their table at any time -#}
    {% if model_name == 'base_order_lines_judged' and var('exchange_rates') %}
        {{ return(false) }}
    {% endif %}
    {% set upstream = increment_of(continued_models().get(model_name)) %}
    {% if upstream is none or upstream.epoch != own.upstream_epoch %}
        {{ return(false) }}
    {% endif %}
    {% if model_name not in renewing_models() %}{{ return(true) }}{% endif %}
    {{ return(changed_orders_cover(own)) }}
{%- endmacro %}

{#- For the start of a run, or where the run builds the relation for the model that reads it:
    from which time of loading on a relation of order lines need be read, as a condition on loaded_at. The last late_arrival_days before the latest row
    are compared: rows that were not there are taken in; if one is gone or changed, or if
    rows came with an older time, the relation is read whole. -#}
{% macro note_relation(spec, source, columns) -%}
    {% if target.type != 'duckdb' %}{{ return('') }}{% endif %}
    {% set reader = order_lines_reader() %}
    {% set own = increment_of(reader) %}
    {% set place = columns.positions.get('loaded_at') %}
    {% set node = graph.nodes['model.customer_segmentation.' ~ reader] if reader else {} %}
    {% if own is none or own.fingerprint != fingerprint(reader) or place is none
        or spec.table != 'order_lines' or not has_table(node.schema, node.alias) %}
        {{ return('') }}
    {% endif %}
    {% set type = 'VARCHAR' if source.kind == 'database' else run_query(
        'describe select ' ~ adapter.quote(columns.headers[place]) ~ ' from ' ~ source.path
    )[0][1] %}
    {% set time = 'loaded_at' if type.startswith('TIMESTAMP') or type == 'DATE'
        else parse_timestamp('loaded_at') %}
    {% set since = run_query(
        'select cast(max(' ~ time ~ ') - interval ' ~ var('late_arrival_days')
        ~ ' day as varchar) from ' ~ node.relation_name
    )[0][0] %}
    {% if since is none %}{{ return('') }}{% endif %}
    {% set row_count = '(select count(*) from given)' %}
    {% if source.kind == 'database' %}
        {% set row_count = fetch_database_window(spec, source, columns, since) %}
        {% if row_count is none %}{{ return('') }}{% endif %}
    {% endif %}
    {% set type = 'timestamptz' if 'ZONE' in type else 'timestamp' %}
    {% set window = 'coalesce(' ~ time ~ " >= cast('" ~ since ~ "' as " ~ type ~ '), true)' %}
    {% set counts = run_query(
        'with given as (' ~ mapped_relation(source, columns) ~ '), '
        ~ 'there as (select * from given where ' ~ window ~ '), '
        ~ 'held as (select ' ~ columns.positions | join(', ') ~ ' from ' ~ node.relation_name
        ~ ' where ' ~ window ~ '), '
        ~ 'gone as (select * from held except all select * from there), '
        ~ 'came as (select * from there except all select * from held) '
        ~ 'select (select count(*) from gone), (select count(*) from came),'
        ~ ' ' ~ row_count ~ ', (select count(*) from ' ~ node.relation_name ~ ')'
    )[0] %}
    {% if counts[0] == 0 and counts[2] == counts[1] + counts[3] %}
        {% do run_query(
            'update ' ~ state_schema() ~ '.increments_run set relation_window = '
            ~ text_literal(window)
        ) %}
    {% endif %}
{%- endmacro %}

{#- The columns of a relation under the names of the contract. -#}
{% macro mapped_relation(source, columns) -%}
    {% set mapped = [] %}
    {% for name, position in columns.positions.items() %}
        {% do mapped.append(
            ('cast(null as ' ~ dbt.type_string() ~ ')' if position is none
            else adapter.quote(columns.headers[position])) ~ ' as ' ~ name
        ) %}
    {% endfor %}
    {{ return('select ' ~ mapped | join(', ') ~ ' from ' ~ source.path) }}
{%- endmacro %}

{#- The rows of a relation that the reader's table lacks. -#}
{% macro new_relation_rows(source, columns) -%}
    {% set window = this_run().relation_window %}
select
    cast(null as {{ dbt.type_string() }}) as source_file,
    cast({{ next_delivery() }} as bigint) as delivery_number,
    cast(null as bigint) as source_line,
    cast(1 as bigint) as line_count,
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as source_row,
    came.*
from (
    select * from ({{ mapped_relation(source, columns) }}) as given
    where {{ window }}
    except all
    select {{ columns.positions | join(', ') }} from {{ this }}
    where {{ window }}
) as came
{%- endmacro %}

{#- Whether all files that the reader's table holds are those that are there. -#}
{% macro has_read_files(reader) -%}
    {% set spec = graph.nodes['model.customer_segmentation.' ~ reader].config.meta.data_file %}
    {% set source = data_file_source(spec) %}
    {% if source.kind in ['relation', 'database'] %}
        {{ return(this_run().get('relation_window') is not none) }}
    {% endif %}
    {{ return(
        source.kind == 'files'
        and source.files | rejectattr('delivery_number', 'none') | list | length > 0
    ) }}
{%- endmacro %}

{#- Whether int_changed_orders has all that changed since a model's last rows. -#}
{% macro changed_orders_cover(own) -%}
    {% set changed = increment_of('int_changed_orders') %}
    {{ return(
        changed is not none and changed.upstream_epoch == own.upstream_epoch
        and changed.since_delivery is not none
        and changed.last_plausible_day is not none
        and own.last_plausible_day is not none
        and changed.since_delivery <= own.delivery_number
        and changed.since_day <= own.last_plausible_day
        and own.last_plausible_day <= changed.last_plausible_day
    ) }}
{%- endmacro %}

{#- dbt's own, and what cannot be continued. -#}
{% macro should_full_refresh() -%}
    {% set configured = config.get('full_refresh') %}
    {% if (flags.FULL_REFRESH if configured is none else configured) %}
        {{ return(true) }}
    {% endif %}
    {{ return(
        model is defined and model.resource_type == 'model'
        and (model.name in continued_models() or model.config.meta.get('data_file'))
        and not continues(model.name)
    ) }}
{%- endmacro %}

{#- Whether the model takes in what is new, rather than being made anew. A name of its
    own: dbt wants every unit test of a model that asks is_incremental() to answer it. -#}
{% macro is_continued() -%}
    {{ return(model.config.materialized == 'incremental' and is_incremental()) }}
{%- endmacro %}

{#- The number that this run's new rows get. -#}
{% macro next_delivery() -%}
    {% set own = increment_of(model.name) %}
    {{ return((own.delivery_number if own is not none else 0) + 1) }}
{%- endmacro %}

{#- Up to which delivery the model has taken rows in. -#}
{% macro last_delivery() -%}
    {{ return(increment_of(model.name).delivery_number) }}
{%- endmacro %}

{#- Up to which delivery the model takes rows in now; 0 where they have no numbers. -#}
{% macro current_delivery() -%}
    {#- a unit test knows no other models -#}
    {% set upstream = increment_of(continued_models().get(model.name))
        if execute and model.config.materialized == 'incremental' else none %}
    {{ return(upstream.delivery_number if upstream is not none else 0) }}
{%- endmacro %}

{#- For the pre-hook: a model that is made anew forgets what it was, and one that
    continues loses the rows that it is about to write again. -#}
{% macro begin_increment(renewed=none) -%}
    {% if not execute or target.type != 'duckdb' %}{{ return('') }}{% endif %}
    {% if is_continued() %}
        {{ return('delete from ' ~ this ~ ' where ' ~ renewed if renewed else '') }}
    {% endif %}
    {% do run_query(
        'update ' ~ increments_table() ~ " set fingerprint = '' where model_name = '"
        ~ model.name ~ "'"
    ) %}
{%- endmacro %}

{#- For the post-hook: notes how far the model has come. -#}
{% macro end_increment() -%}
    {% if not execute or target.type != 'duckdb' %}{{ return('') }}{% endif %}
    {% set spec = model.config.meta.get('data_file') %}
    {% set upstream = increment_of(continued_models().get(model.name)) %}
    {% if spec %}
        {% set number = next_delivery() %}
        {% if data_file_source(spec).kind == 'database' %}
            {% do note_database_rows(spec, number) %}
        {% elif data_file_source(spec).kind == 'files' %}
            {% do run_query(
                'update ' ~ data_files_table(spec.table) ~ ' set delivery_number = ' ~ number
                ~ (' where delivery_number is null' if is_continued() else '')
            ) %}
        {% endif %}
        {% if model.name == order_lines_reader() %}{% do write_increment(number, 0) %}{% endif %}
    {#- dbt build --empty leaves tables without rows, from which nothing can go on -#}
    {% elif upstream is none or invocation_args_dict.get('empty') %}
        {{ return(forget_increment()) }}
    {% elif model.name in renewing_models() %}
        {% set changed = increment_of('int_changed_orders') %}
        {% if changed is none or changed.upstream_epoch != upstream.epoch %}
            {{ return(forget_increment()) }}
        {% endif %}
        {% do write_increment(
            changed.delivery_number, upstream.epoch, changed.last_plausible_day
        ) %}
    {% else %}
        {% do write_increment(upstream.delivery_number, upstream.epoch) %}
    {% endif %}
{%- endmacro %}

{% macro forget_increment() -%}
    {% do run_query(
        'delete from ' ~ increments_table() ~ " where model_name = '" ~ model.name ~ "'"
    ) %}
{%- endmacro %}

{% macro write_increment(
    delivery_number, upstream_epoch, last_plausible_day=none, since_delivery=none,
    since_day=none
) -%}
    {% set own = increment_of(model.name) %}
    {% set is_continued = is_continued() and own is not none %}
    {% set epoch = own.epoch if is_continued else run_query(
        'select coalesce(max(epoch), 0) + 1 from ' ~ increments_table()
    )[0][0] %}
    {% set values = [
        "'" ~ model.name ~ "'", "'" ~ fingerprint(model.name) ~ "'", epoch, upstream_epoch,
        delivery_number,
    ] %}
    {% for value in [last_plausible_day, since_delivery, since_day] %}
        {% do values.append(
            'null' if value is none else value if value is number else "'" ~ value ~ "'"
        ) %}
    {% endfor %}
    {% do forget_increment() %}
    {% do run_query('insert into ' ~ increments_table() ~ ' values (' ~ values | join(', ') ~ ')') %}
{%- endmacro %}

{#- Of a typed line: that a row of its id has come since the model's last run. -#}
{% macro has_new_version() -%}
    line_key in (
        select line_key
        from {{ graph.nodes['model.customer_segmentation.base_order_lines'].relation_name }}
        where delivery_number > {{ last_delivery() }}
    )
{%- endmacro %}

{#- ---- int_changed_orders ---------------------------------------------------------- -#}

{#- {delivery, day}: from where the models that renew orders want to know the changes;
    none where all are made anew. -#}
{% macro changes_wanted_since() -%}
    {% if not execute or target.type != 'duckdb' %}{{ return(none) }}{% endif %}
    {% set judged = increment_of('base_order_lines_judged') %}
    {% if judged is none or flags.FULL_REFRESH %}{{ return(none) }}{% endif %}
    {% set since = {} %}
    {% for name in renewing_models() %}
        {% set its = increment_of(name) %}
        {% if its is not none and its.upstream_epoch == judged.epoch
            and its.last_plausible_day is not none and its.fingerprint == fingerprint(name) %}
            {% do since.update({
                'delivery': [since.get('delivery', its.delivery_number), its.delivery_number] | min,
                'day': [since.get('day', its.last_plausible_day), its.last_plausible_day] | min,
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(since or none) }}
{%- endmacro %}

{#- Which judged lines count as changed. -#}
{% macro is_changed_line() -%}
    {%- set since = changes_wanted_since() -%}
    {%- if since is none -%}
    1 = 0
    {%- else -%}
    lines.changed_in > {{ since.delivery }}
    or lines.quarantine_reason is null
    and lines.ordered_on > cast('{{ since.day }}' as date)
    {%- endif -%}
{%- endmacro %}

{#- For the post-hook of int_changed_orders. -#}
{% macro note_changes() -%}
    {% if not execute or target.type != 'duckdb' %}{{ return('') }}{% endif %}
    {% set judged = increment_of('base_order_lines_judged') %}
    {% if judged is none %}{{ return('') }}{% endif %}
    {% set since = changes_wanted_since() or {} %}
    {% set clock = graph.nodes['model.customer_segmentation.base_last_plausible_day'] %}
    {% set day = run_query(
        'select cast(last_plausible_day as varchar) from ' ~ clock.relation_name
    )[0][0] %}
    {% do write_increment(
        judged.delivery_number, judged.epoch, day, since.get('delivery'), since.get('day')
    ) %}
{%- endmacro %}

{#- The changed orders, for the SQL of the models that renew them; their hooks ref it. -#}
{% macro changed_orders() -%}
    {{ return(graph.nodes['model.customer_segmentation.int_changed_orders'].relation_name) }}
{%- endmacro %}

{#- Orders of which a relation says otherwise than this table how much came back. -#}
{% macro orders_with_other_returns(relation) -%}
    select coalesce(now_returned.order_id, before.order_id) as order_id
    from (
        select order_id, returned_unit_count, returned_amount
        from {{ relation }}
        where returned_unit_count <> 0 or returned_amount <> 0
    ) as now_returned
    full join (
        select order_id, returned_unit_count, returned_amount
        from {{ this }}
        where returned_unit_count <> 0 or returned_amount <> 0
    ) as before on now_returned.order_id = before.order_id
    where
        now_returned.returned_unit_count is distinct from before.returned_unit_count
        or now_returned.returned_amount is distinct from before.returned_amount
{%- endmacro %}
