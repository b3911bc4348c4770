{#- What is otherwise where another project installs this one: docs/as-a-package.md. -#}

{#- Whether another project is run, with this one as its package. -#}
{% macro is_installed() -%}
    {{ return(project_name != 'customer_segmentation') }}
{%- endmacro %}

{#- For the start of a run: that every name means our own model. dbt looks for a name in
    the project that is run first, unless its flag says otherwise. -#}
{% macro check_names() -%}
    {% set given = [] %}
    {% for relation in var('relations').values() if relation is mapping and 'ref' in relation %}
        {% do given.append(relation_node(relation).unique_id) %}
    {% endfor %}
    {% for node in own_nodes() %}
        {% for id in node.depends_on.get('nodes', [])
            if id.split('.')[0] in ['model', 'seed', 'snapshot']
            and id.split('.')[1] != 'customer_segmentation' and id not in given %}
            {% do stop(
                'the model ' ~ id.split('.')[2] ~ ' of ' ~ id.split('.')[1]
                ~ ' is taken for the one of this name of customer_segmentation, in '
                ~ node.name ~ '. Set require_ref_searches_node_package_before_root: true '
                ~ 'under flags: in the dbt_project.yml of ' ~ project_name ~ '.'
            ) %}
        {% endfor %}
    {% endfor %}
{%- endmacro %}

{#- The nodes of this project, whoever runs it. -#}
{% macro own_nodes() -%}
    {{ return(
        graph.nodes.values() | selectattr('package_name', 'eq', 'customer_segmentation')
        | rejectattr('resource_type', 'eq', 'operation') | list
    ) }}
{%- endmacro %}

{#- Before what only the plugin of our own profile can read, with what else could be done. -#}
{% macro check_plugin(what, instead) -%}
    {% if run_query(
        "select count(*) from duckdb_functions() where function_name = 'decode_text'"
    )[0][0] == 0 %}
        {% do stop(
            what ~ ', which the profile ' ~ target.profile_name ~ ' cannot read: ' ~ instead
            ~ ', or add plugins: [{module: segmentation.duckdb_plugin}] to its target '
            ~ target.name ~ '.'
        ) %}
    {% endif %}
{%- endmacro %}
