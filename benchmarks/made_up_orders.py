"""Made-up orders of a shop, one Parquet file a day, as large as one asks for."""

from pathlib import Path

import duckdb

ORDERS_PER_CUSTOMER = 8
FIRST_DAY = "2022-01-01"
# A customer's orders lie around the place of his number in the sequence of all orders:
# an exponential tail of this share of all customers.
TAIL = 0.15


def write_days(
    folder: Path, order_count: int, day_count: int, first: int, last: int
) -> None:
    """Write the orders of days ``first`` to ``last`` (exclusive), a file a day.

    Equal arguments write equal rows: everything follows from the number of the order.
    One order in three has a second line, 3 % of the orders bring a line of the one
    before back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    per_day = order_count // day_count
    customers = order_count // ORDERS_PER_CUSTOMER
    with duckdb.connect() as connection:
        for day in range(first, last):
            connection.sql(
                f"""
                with orders as (
                    select
                        number,
                        hash(number, 1) / 18446744073709551616.0 as chance,
                        hash(number, 2) as dice
                    from range({day * per_day}, {(day + 1) * per_day}) as t(number)
                ),
                described as (
                    select
                        number,
                        dice,
                        greatest(
                            0,
                            cast(floor(
                                number * {customers} / {order_count}.0
                                + ln(1 - chance) * {TAIL * customers}
                            ) as bigint)
                        ) as customer,
                        timestamp '{FIRST_DAY}' + interval ({day}) day
                        + interval (dice % 86400) second as ordered_at
                    from orders
                )
                select
                    concat('L', number, '-', line) as line_id,
                    concat('O', number) as order_id,
                    concat('C', customer) as customer_id,
                    ordered_at,
                    concat('P', hash(number, line, 3) % 500) as product_id,
                    cast(1 + hash(number, line, 4) % 3 as integer) as quantity,
                    cast(1 + hash(number, line, 5) % 9000 / 100.0 as decimal(10, 2))
                        as unit_price,
                    'sale' as line_type,
                    cast(null as varchar) as original_order_id,
                    timestamp '{FIRST_DAY}' + interval ({day + 1}) day as loaded_at
                from described, range(1, 3) as t(line)
                where line = 1 or dice % 3 = 0
                union all
                select
                    concat('R', number, '-1'),
                    concat('R', number),
                    concat('C', customer),
                    ordered_at + interval 1 hour,
                    concat('P', hash(number, 1, 3) % 500),
                    -cast(1 + hash(number, 1, 4) % 3 as integer),
                    cast(1 + hash(number, 1, 5) % 9000 / 100.0 as decimal(10, 2)),
                    'return',
                    case when dice % 2 = 0 then concat('O', number) end,
                    timestamp '{FIRST_DAY}' + interval ({day + 1}) day
                from described
                where dice % 100 < 3 and extract(hour from ordered_at) < 23
                """
            ).write_parquet(str(folder / f"day-{day:04d}.parquet"))
