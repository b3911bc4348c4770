"""`segmentation check`: what a build will use of an input, and what not, in seconds.

The rules are not written twice: dbt runs the staging models themselves, out of a copy
of the project that has nothing else, into a database that is thrown away.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import duckdb

from segmentation.command_line import talking
from segmentation.command_line.choice import Choice, declaration_of
from segmentation.command_line.faults import Fault
from segmentation.command_line.running import release_databases, run

# What the staging models need of the project.
PARTS = [
    "dbt_project.yml", "profiles.yml", "macros", "models/sources.yml",
    "models/groups.yml", "models/staging", "models/intermediate/int_as_of_date.sql",
]  # fmt: skip
REASONS = {
    "missing_order_id": "no order number",
    "missing_customer_id": "no customer",
    "malformed_customer_id": "the customer does not match customer_id_pattern",
    "missing_date": "no date",
    "invalid_date": "the date cannot be read",
    "implausible_past_date": "the date is too old to be true",
    "implausible_future_date": "the date is long after all others",
    "invalid_quantity": "the quantity is no number",
    "zero_quantity": "the quantity is 0",
    "invalid_price": "the price is no number",
    "zero_price": "the price is 0",
    "negative_price": "the price is below 0",
    "unknown_line_type": "the line type is not known",
    "negative_quantity_on_sale": "a sale with a quantity below 0",
    "invalid_discount": "the discount is no number, or below 0",
    "discount_above_amount": "the discount is more than the row's amount",
    "no_exchange_rate": "another currency, and no exchange rate",
    "implausible_amount": "an amount of a billion or more",
    "superseded_line": "a later row has the same line number",
    "duplicate_line": "the same row again",
    "duplicate_customer": "the same customer again",
    "duplicate_event": "the same event again",
    "missing_event_type": "what happened is not said",
    "cancelled_order": "cancelled, refunded or never paid",
    "wrong_number_of_columns": "more or fewer columns than the first line",
    "unclosed_quote": "a quotation mark that is never closed",
    "invalid_encoding": "letters that are not UTF-8",
    "unreadable_line": "a line that cannot be read",
    "no_json_object": "no JSON object",
    "duplicate_campaign": "the same campaign again",
    "duplicate_contact": "the same contact again",
    "in_both_groups": "in both groups of a campaign",
    "missing_action": "no action",
    "missing_campaign_id": "no campaign",
    "unknown_campaign": "a campaign that is not in the file of campaigns",
    "unknown_group": "a group that is neither treatment nor control",
}
# The column that a reason is about, by a word of it.
ABOUT = {
    "order_id": "order_id", "customer": "customer_id", "date": "ordered_at",
    "quantity": "quantity", "discount": "discount_amount", "price": "unit_price",
    "line_type": "line_type", "rate": "currency", "amount": "unit_price",
}  # fmt: skip
# What an optional column is good for, by table.
UNLOCKS = {
    "order_lines": {
        "unit_cost": "value in margin and not in revenue",
        "discount_amount": "who buys at a discount",
        "channel": "segments and retention by channel",
        "product_id": "returns matched to what was bought",
    },
    "customers": {
        "consent_email": "lists of whom you may write to",
        "email": "customers who are there twice",
        "country": "segments by country",
        "signed_up_at": "who signed up and never bought",
        "age": "what age a segment is",
        "gender": "what gender a segment is",
        "acquisition_channel": "which channel brings good customers",
    },
    "customer_events": {"event_type": "how engaged customers are between purchases"},
}
MANY = 0.05  # of the rows: more in quarantine than this is said to be much


class Findings(NamedTuple):
    """What staging made of an input."""

    used: dict[str, int]
    # table, reason, rows, line of the first one, its text
    quarantined: list[tuple[str, str, int, int | None, str]]
    orders: dict  # counts, days and money of the order lines; empty without them
    declared: dict[str, list[str]]  # columns by table


def check(own: Choice, show=print) -> Findings:
    """Look at an input and say what a build will use.

    Raises
    ------
    Fault
        With what stops a build, or if no row can be used.

    """
    declaration = declaration_of(own.name)
    found = _stage(own.name, declaration)
    show(report(own, found, declaration.get("currency", "")))
    if not sum(found.used.values()):
        worst = max(found.quarantined, key=lambda row: row[2], default=None)
        raise Fault(
            "No row can be used"
            + (f": {REASONS.get(worst[1], worst[1])}." if worst else "."),
            "Look at the example: is the right column mapped? "
            f"models/input/{own.name}/_{own.name}.yml, or segmentation init again.",
        )
    return found


def _stage(name: str, declaration: dict) -> Findings:
    """Run staging in a folder of its own and read what came of it."""
    has_orders = "order_lines" in declaration
    tables = [
        table
        for table in ("order_lines", "customers", "customer_events")
        if table in declaration
    ]
    with tempfile.TemporaryDirectory(prefix="segmentation_check_") as text:
        folder = Path(text)
        _copy_project(folder / "project", name)
        database = folder / "check.duckdb"
        outer = dict(os.environ)
        os.environ |= {
            "SEGMENTATION_DB": str(database),
            "SEGMENTATION_EXPORTS": str(folder / "exports"),
        }
        selected = ["+stg_quarantined_rows"]
        selected += [f"+stg_{table}" for table in tables]
        try:
            run(
                [
                    "build", "--exclude-resource-type", "test",
                    "--exclude-resource-type", "unit_test",
                    "--project-dir", str(folder / "project"),
                    "--profiles-dir", str(folder / "project"),
                    "--target-path", str(folder / "target"),
                    "--log-path", str(folder / "logs"),
                    "--no-partial-parse", "--select", *selected,
                ],
                {"input": name},
                shows="",
            )  # fmt: skip
        finally:
            os.environ.clear()
            os.environ.update(outer)
        release_databases()
        with duckdb.connect(str(database), read_only=True) as connection:
            return _read(connection, tables, has_orders, declaration)


def _copy_project(project: Path, name: str) -> None:
    for part in [
        *PARTS, f"models/input/{name}", *map(str, Path("models/input").glob("*.*")),
        *(["seeds/demo"] if name == "demo" else []),
    ]:  # fmt: skip
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        if Path(part).is_dir():
            shutil.copytree(part, project / part)
        else:
            shutil.copy(part, project / part)


def _read(connection, tables, has_orders: bool, declaration: dict) -> Findings:
    def rows(sql: str) -> list[tuple]:
        return connection.execute(sql).fetchall()

    used = {
        table: rows(f"select count(*) from dev_staging.stg_{table}")[0][0]
        for table in tables
    }
    quarantined = rows(
        "select source_table, reason, count(*) as row_count, min(source_line), "
        "arg_min(source_row, coalesce(source_line, 0)) "
        "from dev_staging.stg_quarantined_rows "
        "group by all order by row_count desc, source_table, reason"
    )
    orders = {}
    if has_orders:
        found = connection.execute(
            "select count(distinct order_id) as orders, "
            "count(distinct customer_id) as customers, "
            "count(*) filter (is_guest) as guest_lines, "
            "count(*) filter (quantity < 0) as return_lines, "
            "cast(min(order_date) as varchar) as first_day, "
            "cast(max(order_date) as varchar) as last_day, "
            "cast(max(order_date) + 1 as varchar) as as_of_date, "
            "sum(net_amount) as net_amount from dev_staging.stg_order_lines"
        )
        names = [column[0] for column in found.description]
        orders = dict(zip(names, found.fetchone(), strict=True))
    declared = {table: declaration[table] for table in tables}
    return Findings(used, quarantined, orders, declared)


def report(own: Choice, found: Findings, currency: str) -> str:
    """Return what was found in words.

    Parameters
    ----------
    own
        The input and its files.
    found
        What staging made of it.
    currency
        The input's, in which amounts are.

    """
    source = f" from {own.said}" if own.said else ""
    lines = [f"{own.name}{source}, as a build would take it:", ""]
    counts = []
    for table, used in found.used.items():
        left = sum(row[2] for row in found.quarantined if row[0] == table)
        total = used + left
        share = f"{used / total:.1%}" if total else ""
        counts.append(
            (table.replace("_", " "), f"{total:,}", f"{used:,}", share, f"{left:,}")
        )
    lines.append(
        talking.table(
            counts, ("", "rows", "used", "share", "left out"), figures=(1, 2, 3, 4)
        )
    )
    if found.quarantined:
        lines += ["", "Left out, and kept in the quarantine with the reason:"]
        lines.append(
            talking.table(
                [
                    (
                        f"{count:,}",
                        REASONS.get(reason, reason.replace("_", " ")),
                        f"line {line}:" if line is not None else "",
                        talking.short(_telling_part(reason, text or ""), 60),
                    )
                    for _, reason, count, line, text in found.quarantined[:12]
                ],
                figures=(0,),
            )
        )
    if found.orders.get("orders"):
        lines += ["", *_about_orders(found.orders, currency)]
    notes = _missing(found)
    if notes:
        lines += ["", "Not in the file, and what it would be good for:"]
        lines.append(talking.table(notes))
    if found.used and not any(row[2] for row in found.quarantined):
        lines += ["", "Nothing is left out."]
    lines += ["", "Build it: segmentation build"]
    return "\n".join(lines)


def _telling_part(reason: str, text: str) -> str:
    """Of a row as text, what the reason is about, and its first column."""
    parts = dict(part.partition("=")[::2] for part in text.split(" | ") if "=" in part)
    column = next((name for word, name in ABOUT.items() if word in reason), None)
    if column not in parts:
        return text
    first = next(iter(parts.items()))
    return f"{column} is {parts[column] or 'empty'} ({'='.join(first)})"


def _about_orders(orders: dict, currency: str) -> list[str]:
    money = f"{orders['net_amount']:,.2f} {currency}".rstrip()
    further = []
    if orders["guest_lines"]:
        further.append(f"{orders['guest_lines']:,} rows without a customer (guests)")
    if orders["return_lines"]:
        further.append(f"{orders['return_lines']:,} rows that take something back")
    return [
        f"  {orders['customers']:,} customers, {orders['orders']:,} orders, {money}",
        f"  from {orders['first_day']} to {orders['last_day']}; "
        f"figures will be as of {orders['as_of_date']}",
        *(f"  {text}" for text in further),
    ]


def _missing(found: Findings) -> list[tuple[str, str]]:
    missing = []
    for table, columns in UNLOCKS.items():
        if table not in found.declared and "order_lines" not in found.declared:
            continue
        declared = found.declared.get(table, [])
        missing += [
            (column, good_for)
            for column, good_for in columns.items()
            if column not in declared
        ]
    return missing
