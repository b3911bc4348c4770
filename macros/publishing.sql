{#- What is published: the marts that are on, and the registry as it will be. Add a new
    mart here; a test holds this list against the marts there are. -#}
{% macro published_models() -%}
    {{ return([
        'dim_customers', 'dim_segmentations', 'dim_segments', 'fct_customer_attributes',
        'fct_customer_segments', 'rpt_segment_summary', 'rpt_segment_profiles',
        'rpt_customer_map', 'rpt_map_loadings', 'rpt_segment_candidates',
        'rpt_segmentation_features', 'rpt_data_quality', 'rpt_recommendations',
        'fct_audiences', 'rpt_audiences', 'rpt_model_health', 'rpt_feature_drift',
        'rpt_self_check',
        'registry_segment_prototypes', 'registry_segment_candidates',
        'registry_training_bins',
    ] + (
        [
            'dim_dates', 'fct_orders', 'fct_customer_months',
            'fct_customer_segment_months', 'rpt_history', 'rpt_segment_migration',
            'rpt_segment_trends', 'rpt_cohort_retention', 'rpt_retention',
            'rpt_second_purchase', 'rpt_purchase_models', 'rpt_value_validation',
            'rpt_churn_validation', 'registry_rfm_cut_points', 'rpt_campaign_lift',
        ]
        if has('order_lines') else []
    )) }}
{%- endmacro %}

{#- What publishing appends to the registry: of a published table the rows whose `keys`
    the registry's table does not have yet, of a month only once it is closed. -#}
{% macro promotions() -%}
    {% set promotions = {} %}
    {% for table, columns in registry_tables().items() %}
        {% set mart = 'fct_' ~ table if table.endswith('_months') else 'registry_' ~ table %}
        {% set keys = [] %}
        {% for key in ['segmentation', 'model_version', 'month_end_date']
            if key in columns
            and not (key == 'model_version' and 'month_end_date' in columns) %}
            {% do keys.append(key) %}
        {% endfor %}
        {% do promotions.update({mart: {
            'table': table, 'columns': columns | list, 'keys': keys,
            'condition': 'is_closed' if 'month_end_date' in columns else 'true',
        }}) %}
    {% endfor %}
    {{ return(promotions) }}
{%- endmacro %}

{#- Name, relation, key and columns of each published table, and whether it goes out as
    CSV too (csv: true in the mart's config.meta); personal data stays out
    unless it is asked for. -#}
{% macro published_tables() -%}
    {% set tables = [] %}
    {#- a date that is rebuilt promotes nothing -#}
    {% set promoted = promotions() if not var('rebuild_into') else {} %}
    {% for name in published_models() %}
        {% set relation = ref(name) %}
        {% set promotion = promoted.get(name, {}) %}
        {% set promoting = {
            'registry_table': promotion.get('table', ''),
            'registry_columns': promotion.get('columns', []) | join(', '),
            'registry_keys': promotion.get('keys', []) | join(', '),
            'promoted_where': promotion.get('condition', ''),
        } %}
        {% if execute %}
            {% set node = graph.nodes['model.customer_segmentation.' ~ name] %}
            {% set columns = [] %}
            {% for column in node.columns.values()
                if var('export_personal_data') or not column.config.meta.get('personal_data') %}
                {% do columns.append(column.name) %}
            {% endfor %}
            {% do tables.append({
                'name': name, 'relation': relation, 'columns': columns,
                'key': node.config.meta.primary_key,
                'csv': node.config.meta.get('csv', false),
            }) %}
        {% else %}
            {% do tables.append({'name': name, 'relation': relation, 'columns': [], 'key': [], 'csv': false}) %}
        {% endif %}
        {% do tables[-1].update(promoting) %}
    {% endfor %}
    {{ return(tables) }}
{%- endmacro %}

{#- The configuration that the figures follow from, as JSON for the manifest. -#}
{% macro publishing_configuration() -%}
    {% set configuration = {} %}
    {% for name in configuration_rules() if name not in [
        'input', 'inputs', 'registry_schema', 'source_freshness',
    ] %}
        {#- a date on the command line is a date, which JSON does not know -#}
        {% set is_date = configuration_rules()[name] == 'date' and var(name) %}
        {% set value = var(name) | string if is_date else var(name) %}
        {% do configuration.update({name: value}) %}
    {% endfor %}
    {{ return(tojson(configuration, sort_keys=true)) }}
{%- endmacro %}
