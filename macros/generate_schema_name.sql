{#- prod gets the plain folder schemas (marts), any other target its own set
    (dev_marts), as dbt's documentation suggests; a rebuilt date its own of either.
    Installed in another project, schemas are named as that project names its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if var('rebuild_into', none) -%} {{ var('rebuild_into') }}_ {%- endif -%}
    {%- if is_installed() -%}
        {%- set names = context.get(project_name, {}) -%}
        {{ names.get('generate_schema_name', dbt.generate_schema_name)(
            custom_schema_name, node
        ) | trim }}
    {%- elif custom_schema_name is none -%} {{ target.schema }}
    {%- elif target.name == 'prod' -%} {{ custom_schema_name | trim }}
    {%- else -%} {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
