{{ config(group='segmentation') }}

-- The models of the folder marts against the list in macros/publishing.sql, which has
-- the registry besides. It refers to what is published, so that publishing waits.
{% set published = published_models() %}
{% for name in published %}
-- depends_on: {{ ref(name) }}
{%- endfor %}
{% set marts = [] %}
{% if execute %}
{% for node in graph.nodes.values()
    if node.resource_type == 'model' and node.package_name == 'customer_segmentation'
    and node.fqn[1] == 'marts' %}
{% do marts.append(node.name) %}
{% endfor %}
{% endif %}
with final as (

    select
        'nothing' as model_name,
        'nothing' as fault
    where 1 = 0
    {%- for name in marts | sort if name not in published %}
    union all
    select
        '{{ name }}' as model_name,
        'is a mart but is not published' as fault
    {%- endfor %}
    {%- for name in published
        if name not in marts and not name.startswith('registry_') %}
    union all
    select
        '{{ name }}' as model_name,
        'is published but is no mart' as fault
    {%- endfor %}

)

select * from final
