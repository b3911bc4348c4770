{#- What an input has and how the contract is filled from it. -#}

{#- The columns of the input contract, by table; described in models/input/input_*.yml. -#}
{% macro input_contract() -%}
    {% set lineage = ['source_file', 'source_line', 'source_row', 'reject_reason'] %}
    {{ return({
        'order_lines': {
            'required': [
                'order_id', 'customer_id', 'ordered_at', 'product_id', 'quantity',
                'unit_price',
            ],
            'optional': [
                'line_id', 'discount_amount', 'line_type', 'original_order_id',
                'currency', 'channel', 'unit_cost', 'loaded_at', 'delivery_number',
            ] + lineage,
        },
        'customers': {
            'required': ['customer_id'],
            'optional': [
                'customer_name', 'email', 'phone', 'signed_up_at', 'birth_date',
                'age', 'gender', 'country', 'city', 'acquisition_channel',
                'consent_email', 'consent_sms', 'consent_post', 'consent_phone',
            ] + lineage,
        },
        'customer_events': {
            'required': ['customer_id', 'event_at', 'event_type'],
            'optional': lineage,
        },
        'campaigns': {
            'required': ['campaign_id', 'action', 'starts_at'],
            'optional': [
                'campaign_name', 'channel', 'ends_at', 'contact_cost', 'audience_id',
            ] + lineage,
        },
        'campaign_contacts': {
            'required': ['campaign_id', 'customer_id'],
            'optional': ['contacted_at', 'assigned_group'] + lineage,
        },
    }) }}
{%- endmacro %}

{#- The declaration of the chosen input, or an error that names the known ones. -#}
{% macro input_settings() -%}
    {% set inputs = var('inputs') %}
    {% if var('input') not in inputs %}
        {{ exceptions.raise_compiler_error(
            "unknown input '" ~ var('input') ~ "'. Known inputs: "
            ~ (inputs | list | sort | join(', ')) ~ ". Choose one with --vars 'input: "
            ~ (inputs | list | first) ~ "', or declare yours under vars: inputs: in "
            ~ "dbt_project.yml (see CONTRIBUTING)."
        ) }}
    {% endif %}
    {{ return(inputs[var('input')]) }}
{%- endmacro %}

{#- Whether the chosen input has a table, or a column of it. -#}
{% macro has(table, column=none) -%}
    {% set columns = input_settings().get(table) or [] %}
    {{ return(columns | length > 0 and (column is none or column in columns)) }}
{%- endmacro %}

{#- The further columns of the chosen input's customers: {name: numeric or
    categorical}. -#}
{% macro customer_attributes() -%}
    {{ return(input_settings().get('attributes') or {}) }}
{%- endmacro %}

{#- The segmentations in use: the input's own, else those of the vars; of them those
    that segmentations_enabled names, in its order, if it names any. -#}
{% macro segmentations() -%}
    {% set all = input_settings().get('segmentations') or var('segmentations') %}
    {% if not var('segmentations_enabled') %}{{ return(all) }}{% endif %}
    {% set enabled = {} %}
    {% for name in var('segmentations_enabled') %}
        {% if name not in all %}
            {{ exceptions.raise_compiler_error(
                "configuration: segmentations_enabled names '" ~ name ~ "'. Input '"
                ~ var('input') ~ "' has: " ~ (all | list | join(', ')) ~ '.'
            ) }}
        {% endif %}
        {% do enabled.update({name: all[name]}) %}
    {% endfor %}
    {{ return(enabled) }}
{%- endmacro %}

{#- What the contract itself knows about a person, if the input does: for profiles, and
    for a segmentation that names it. -#}
{% macro personal_features() -%}
    {% set features = {} %}
    {% for feature, kind in {
        'age': 'numeric', 'gender': 'categorical', 'acquisition_channel': 'categorical',
    }.items() if has('customers', feature)
        or (feature == 'age' and has('customers', 'birth_date')) %}
        {% do features.update({feature: kind}) %}
    {% endfor %}
    {{ return(features) }}
{%- endmacro %}

{#- The features of int_customer_features, {name: numeric or categorical}, in profile
    order. -#}
{% macro customer_features() -%}
    {% set features = {} %}
    {% if has('order_lines') %}
        {% for feature in [
            'recency_days', 'frequency', 'monetary', 'tenure_days',
            'average_order_amount', 'units_per_order', 'orders_per_active_month',
            'discount_share', 'returned_share', 'shrunk_discount_share',
            'shrunk_returned_share', 'events_per_month',
        ] if feature != 'events_per_month' or has('customer_events') %}
            {% do features.update({feature: 'numeric'}) %}
        {% endfor %}
    {% endif %}
    {% do features.update(customer_attributes()) %}
    {% do features.update(personal_features()) %}
    {{ return(features) }}
{%- endmacro %}

{% macro features_of_kind(kind) -%}
    {% set features = [] %}
    {% for feature, its_kind in customer_features().items() if its_kind == kind %}
        {% do features.append(feature) %}
    {% endfor %}
    {{ return(features) }}
{%- endmacro %}

{#- How a feature is prepared: what is configured over the defaults. -#}
{% macro feature_preparation(feature, given) -%}
    {% set defaults = {
        'transform': 'none', 'scaling': 'standard', 'maximum_missing_share': 0.3,
        'lower_quantile': 0, 'upper_quantile': 1,
        'maximum_correlation': 0.95, 'minimum_level_share': 0.05,
        'missing': 'median' if customer_features().get(feature) == 'numeric'
            else 'most_frequent',
    } %}
    {% do defaults.update(given or {}) %}
    {{ return(defaults) }}
{%- endmacro %}

{#- The chosen input's model of a table. Call inside `if has(table)`. -#}
{% macro input_model(table) -%}
    {% do input_settings() %}
    {{ return(ref(var('input') ~ '__' ~ table)) }}
{%- endmacro %}

{#- A contract table: the input's columns, nulls for what it lacks, no rows where
    it lacks the table. -#}
{% macro select_input(table) -%}
    {% set contract = input_contract()[table] %}
    {%- if has(table) %}
select
    {%- for column in contract.required + contract.optional %}
    {% if has(table, column) %}{{ column }}
    {%- else %}cast(null as {{ dbt.type_string() }}) as {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
    {%- if table == 'customers' %}
    {%- for attribute in customer_attributes() %},
    {{ attribute }}
    {%- endfor %}
    {%- endif %}
from {{ input_model(table) }}
    {%- else %}
select
    {%- for column in contract.required + contract.optional %}
    cast(null as {{ dbt.type_string() }}) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from (select 1 as nothing) as absent
where nothing = 0
    {%- endif %}
{%- endmacro %}

{#- The currency that amounts are reported in. -#}
{% macro reporting_currency() -%}
    {{ return((var('reporting_currency') or input_settings().currency) | upper) }}
{%- endmacro %}

{#- A contract row as one readable text, for the quarantine. -#}
{% macro row_as_text(table) -%}
    {% set contract = input_contract()[table] %}
    {%- if not has(table) %}source_row{% else -%}
    coalesce(source_row, concat_ws(
        ' | '
        {%- set further = customer_attributes() | list if table == 'customers' else [] %}
        {%- for column in contract.required + contract.optional + further
            if (column in further or has(table, column))
            and column not in [
                'delivery_number', 'source_file', 'source_line', 'source_row',
                'reject_reason',
            ] %},
        concat('{{ column }}=', coalesce(cast({{ column }} as {{ dbt.type_string() }}), ''))
        {%- endfor %}
    ))
    {%- endif %}
{%- endmacro %}
