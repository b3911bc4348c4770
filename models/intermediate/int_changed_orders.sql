-- Orders with lines that came or changed since the models that renew orders last ran,
-- and every customer that any line of them names or named. A day after the last
-- plausible one may have become plausible:
-- depends_on: {{ ref('base_last_plausible_day') }}
with lines as (

    select
        order_id,
        customer_id,
        ordered_on,
        changed_in,
        quarantine_reason
    from {{ ref('base_order_lines_judged') }}
    where
        quarantine_reason is null
        or quarantine_reason in ('superseded_line', 'duplicate_line')

),

changed as (

    select distinct lines.order_id
    from lines
    where {{ is_changed_line() }}

),

final as (

    select distinct
        lines.order_id,
        lines.customer_id
    from lines
    inner join changed on lines.order_id = changed.order_id

)

select * from final
