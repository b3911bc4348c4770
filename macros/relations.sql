{#- Tables of the warehouse in place of the input's files: the var `relations`, by the name
    of the contract's table. A value is the name of a relation (`raw.order_lines`), or, in
    the words of the project that installs this one, `{ref: model}` or
    `{source: [source, table]}`: of these the graph knows what must be built first. The key
    `schema` says where names without a dot are; a table that the var does not name is then
    looked for there under the contract's name. -#}

{#- What the var says of a table; none where it says nothing. -#}
{% macro given_relation(table) -%}
    {% set schema = var('relations').get('schema') %}
    {% set given = var('relations').get(table) or (table if schema else none) %}
    {{ return(
        schema ~ '.' ~ given if schema and given is string and '.' not in given else given
    ) }}
{%- endmacro %}

{#- What to select from for a contract table; none where the var names nothing. -#}
{% macro relation_of(table) -%}
    {% set given = given_relation(table) %}
    {% if given is not mapping %}{{ return(given) }}{% endif %}
    {% set node = relation_node(given) %}
    {{ return(node.relation_name) }}
{%- endmacro %}

{#- Whether the relation is a model, which this very run may build: what it is like is known
    when it is read, and not at the start of the run. -#}
{% macro is_built_in_this_run(table) -%}
    {% set given = var('relations').get(table) %}
    {{ return(given is mapping and 'ref' in given) }}
{%- endmacro %}

{#- For a model that reads a contract table, while it is parsed: what it waits for. -#}
{% macro wait_for_relation(table) -%}
    {% if var('input') == 'warehouse' and var('relations').get(table) is not mapping %}
        {% do source('warehouse', table) %}
    {% endif %}
    {% for name, given in var('relations').items() if given is mapping
        and (name == table or table not in input_contract()) %}
        {% if 'ref' in given %}
            {% do ref(*referred_model(given)) %}
        {% else %}
            {% do source(*given.source) %}
        {% endif %}
    {% endfor %}
{%- endmacro %}

{#- [project, model]: without a project it is that of the project that is run, which may
    have models that are named like ours. -#}
{% macro referred_model(given) -%}
    {{ return([project_name, given.ref] if given.ref is string else given.ref) }}
{%- endmacro %}

{#- The graph's node. -#}
{% macro relation_node(given) -%}
    {% if 'source' in given %}
        {% for node in graph.sources.values()
            if [node.source_name, node.name] == given.source | list %}
            {{ return(node) }}
        {% endfor %}
    {% else %}
        {% set project, name = referred_model(given) %}
        {% for node in graph.nodes.values()
            if node.package_name == project and node.name == name
            and node.resource_type in ['model', 'seed', 'snapshot']
            and node.get('version') == node.get('latest_version') %}
            {{ return(node) }}
        {% endfor %}
    {% endif %}
    {% do stop('the var relations has ' ~ given ~ ', which no enabled model or source is.') %}
{%- endmacro %}

{#- For the start of a run. -#}
{% macro check_relations() -%}
    {% for table, given in var('relations').items() if table != 'schema' %}
        {% if table not in input_contract() %}
            {% do stop(
                "the var relations names '" ~ table ~ "'. It may name: schema, "
                ~ input_contract() | join(', ') ~ '.'
            ) %}
        {% endif %}
        {% if given is mapping and given | list not in [['ref'], ['source']] %}
            {% do stop(
                'the var relations has ' ~ given ~ ' for ' ~ table ~ '; it must be a name '
                ~ 'like raw.' ~ table ~ ', {ref: model} or {source: [source, table]}.'
            ) %}
        {% endif %}
        {% if given is mapping and not relation_node(given).relation_name %}
            {% do stop(
                'the var relations has ' ~ given ~ ' for ' ~ table ~ ', which is ephemeral; '
                ~ 'it must be a table or a view.'
            ) %}
        {% endif %}
    {% endfor %}
{%- endmacro %}
