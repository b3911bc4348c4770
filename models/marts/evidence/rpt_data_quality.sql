with physical as (

    select
        source_table,
        'physical' as measure,
        cast(null as {{ dbt.type_string() }}) as reason,
        row_count
    from {{ ref('input_physical_rows') }}

),

used as (

    select 'order_lines' as source_table, count(*) as row_count
    from {{ ref('stg_order_lines') }}
    union all
    select 'customers' as source_table, count(*) as row_count
    from {{ ref('stg_customers') }}
    union all
    select 'customer_events' as source_table, count(*) as row_count
    from {{ ref('stg_customer_events') }}

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

    select 'order_lines' as source_table, 'guest_lines' as reason, count(*) as row_count
    from {{ ref('stg_order_lines') }}
    where is_guest
    union all
    select 'order_lines', 'fee_and_adjustment_lines', count(*)
    from {{ ref('stg_order_lines') }}
    where line_type in ('fee', 'adjustment')
    union all
    select 'order_lines', 'return_lines', count(*)
    from {{ ref('stg_order_lines') }}
    where quantity < 0
    union all
    select 'order_lines', 'guest_orders', count(*)
    from {{ ref('int_orders') }}
    where customer_id is null
    union all
    select 'customers', 'prospects', count(*)
    from {{ ref('int_lifecycle_states') }}
    where lifecycle_state = 'prospect'
    union all
    select 'customers', 'implausible_ages', count(*)
    from {{ ref('base_customers') }}
    where
        quarantine_reason is null
        and age is not null and not age between 14 and 110
    union all
    select 'customers', 'customers_who_share_an_email', coalesce(sum(customer_count), 0)
    from {{ ref('int_shared_emails') }}

),

combined as (

    select * from physical
    union all
    select source_table, 'used' as measure, null as reason, row_count from used
    union all
    select * from quarantined
    union all
    select source_table, 'note' as measure, reason, row_count from notes

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
