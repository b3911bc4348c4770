{% set notes = [
    (
        'customers', 'implausible_ages', 'base_customers',
        'quarantine_reason is null and not age between 14 and 110',
    ),
] %}
{% if has('order_lines') %}
{% set notes = notes + [
    ('order_lines', 'guest_lines', 'stg_order_lines', 'is_guest'),
    ('order_lines', 'return_lines', 'stg_order_lines', 'quantity < 0'),
    (
        'order_lines', 'fee_and_adjustment_lines', 'stg_order_lines',
        "line_type in ('fee', 'adjustment')",
    ),
    ('order_lines', 'guest_orders', 'int_orders', 'customer_id is null'),
    (
        'customers', 'prospects', 'int_lifecycle_states',
        "lifecycle_state = 'prospect'",
    ),
] %}
{% endif %}
with physical as (

    select
        source_table,
        'physical' as measure,
        cast(null as {{ dbt.type_string() }}) as reason,
        row_count
    from {{ ref('input_physical_rows') }}

),

used as (
    {% for table in input_contract() if table != 'order_lines' or has(table) %}
    select
        '{{ table }}' as source_table,
        count(*) as row_count
    from {{ ref('stg_' ~ table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

quarantined as (

    select
        source_table,
        'quarantined' as measure,
        reason,
        count(*) as row_count
    from {{ ref('stg_quarantined_rows') }}
    group by source_table, reason

),

notes as (
    {% for source_table, reason, model, condition in notes %}
    select
        '{{ source_table }}' as source_table,
        '{{ reason }}' as reason,
        count(*) as row_count
    from {{ ref(model) }}
    where {{ condition }}
    union all
    {% endfor %}
    select
        'customers' as source_table,
        'customers_who_share_an_email' as reason,
        coalesce(sum(customer_count), 0) as row_count
    from {{ ref('int_shared_emails') }}

),

combined as (

    select * from physical
    union all
    select
        source_table,
        'used' as measure,
        null as reason,
        row_count
    from used
    union all
    select * from quarantined
    union all
    select
        source_table,
        'note' as measure,
        reason,
        row_count
    from notes

),

final as (

    select
        source_table,
        measure,
        coalesce(reason, 'all') as reason,
        cast(row_count as bigint) as row_count
    from combined

)

select * from final
