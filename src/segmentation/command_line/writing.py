"""The folder models/input/<name>/ and its declaration, from what the columns are."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import duckdb

from segmentation.command_line.columns import Column
from segmentation.command_line.files import Table
from segmentation.command_line.guessing import Guess, segmentation_features

MARK = "# Written by `segmentation init`"
VARIABLES = {
    "customers": "SEGMENTATION_CUSTOMERS",
    "events": "SEGMENTATION_EVENTS",
}
LINEAGE = ["source_file", "source_line", "source_row", "reject_reason"]
OF_LINES = [
    "line_id", "order_id", "customer_id", "ordered_at", "product_id", "quantity",
    "unit_price", "discount_amount", "line_type", "original_order_id", "currency",
    "channel", "unit_cost", "loaded_at",
]  # fmt: skip
OF_CUSTOMERS = [
    "customer_id", "customer_name", "email", "phone", "signed_up_at", "birth_date",
    "age", "gender", "country", "city", "acquisition_channel", "consent_email",
    "consent_sms",
    "consent_post", "consent_phone",
]  # fmt: skip
OF_EVENTS = ["customer_id", "event_at", "event_type"]
DATES = ["ordered_at", "loaded_at", "signed_up_at", "birth_date", "event_at"]
NUMBERS = ["quantity", "unit_price", "amount", "discount_amount", "unit_cost", "age"]
SEGMENTATION = "profile"
# Columns of the project that an attribute must not be called.
TAKEN = {
    *OF_LINES, *OF_CUSTOMERS, *OF_EVENTS, *LINEAGE, "recency_days", "frequency",
    "monetary", "tenure_days", "average_order_amount", "units_per_order",
    "orders_per_active_month", "discount_share", "returned_share",
    "shrunk_discount_share", "shrunk_returned_share", "events_per_month", "occurrence",
    "quarantine_reason", "line_count", "delivery_number", "segmentation", "segment_id",
    "has_consent_email", "has_consent_sms", "has_consent_post", "has_consent_phone",
}  # fmt: skip


class Source(NamedTuple):
    """A file and what its columns are."""

    table: Table
    guess: Guess


class Input(NamedTuple):
    """An input to be written: files by name, and the declaration."""

    files: dict[str, str]
    declaration: dict
    variables: dict[str, Path]  # environment variable -> the user's file


def write_input(
    name: str,
    sources: dict[str, Source],
    currency: str = "EUR",
    features: list[str] | None = None,
) -> Input:
    """Compose the models, their properties and the declaration of an input.

    Parameters
    ----------
    name
        Of the input.
    sources
        By `orders`, `customers`, `events`; orders or customers must be there.
    currency
        Of amounts where a row names none.
    features
        Headers that the segmentation of customers without orders is made of.

    """
    formats = _common_formats(sources)
    own = formats is None  # each column is read by its own formats
    declaration: dict = {"customer_id_pattern": "^.+$"}
    files, models, variables = {}, [], {}
    orders, customers = sources.get("orders"), sources.get("customers")
    if orders:
        declaration = {
            "currency": currency, "timestamp_formats": formats or [], **declaration
        }  # fmt: skip
        used = orders.guess
        lines = _line_expressions(used, own)
        models.append(_reader(name, "lines", "order_lines", orders, None))
        files[f"{name}__order_lines.sql"] = _mapping(
            f"{name}__raw_lines", {**lines, **_lineage(used, with_delivery=True)}
        )
        declaration["order_lines"] = [*lines, "delivery_number", *LINEAGE]
        variables["SEGMENTATION_DATA"] = orders.table.path
        derived = [role for role in OF_CUSTOMERS[1:] if role in used.choices]
        if not customers and derived:
            files[f"{name}__customers.sql"] = _derived_customers(
                name, used, derived, own
            )
            declaration["customers"] = ["customer_id", *derived]
    elif formats:
        declaration["timestamp_formats"] = formats
    attributes: dict[str, str] = {}
    if customers:
        used = customers.guess
        attributes = attribute_names(used)
        known = {role: _expression(used, role, own) for role in OF_CUSTOMERS}
        known = {role: text for role, text in known.items() if text}
        further = {
            column: _attribute(used, header) for header, column in attributes.items()
        }
        variable = VARIABLES["customers"] if orders else None
        models.append(_reader(name, "customers", "customers", customers, variable))
        files[f"{name}__customers.sql"] = _mapping(
            f"{name}__raw_customers", {**known, **further, **_lineage(used)}
        )
        declaration["customers"] = [*known, *LINEAGE]
        variables[variable or "SEGMENTATION_DATA"] = customers.table.path
        if attributes:
            declaration["attributes"] = {
                column: used.attributes[header] for header, column in attributes.items()
            }
        if attributes and not orders:
            declaration["segmentations"] = {
                SEGMENTATION: _segmentation(used, attributes, features)
            }
    if "events" in sources:
        used = sources["events"].guess
        variable = VARIABLES["events"]
        models.append(
            _reader(name, "events", "customer_events", sources["events"], variable)
        )
        known = {role: _expression(used, role, own) for role in OF_EVENTS}
        files[f"{name}__customer_events.sql"] = _mapping(
            f"{name}__raw_events", {**known, **_lineage(used)}
        )
        declaration["customer_events"] = [*known, *LINEAGE]
        variables[variable] = sources["events"].table.path
    for reader in models:
        files[f"{reader['name']}.sql"] = "{{ read_data_file() }}\n"
    mapped = [
        file.removesuffix(".sql") for file in files if "__raw_" not in file
    ]  # fmt: skip
    files[f"_{name}.yml"] = _properties(name, models, mapped)
    return Input(dict(sorted(files.items())), declaration, variables)


# ---- SQL ----------------------------------------------------------------------------


def _lineage(used: Guess, with_delivery: bool = False) -> dict[str, str]:
    columns = {column: column for column in LINEAGE}
    left_out = used.statuses_not_bought
    if left_out:
        texts = ", ".join(_literal(text.strip().lower()) for text in left_out)
        columns["reject_reason"] = f"""case
            when reject_reason is not null then reject_reason
            when
                lower({{{{ parse_text('order_status') }}}}) in (
                    {texts}
                )
                then 'cancelled_order'
        end"""
    return ({"delivery_number": "delivery_number"} if with_delivery else {}) | columns


def _literal(text: str) -> str:
    """A text in SQL that Jinja leaves alone."""
    return "'" + re.sub(r"[{}\\]", "_", text).replace("'", "''") + "'"


def _mapping(parent: str, columns: dict[str, str]) -> str:
    selected = ",\n        ".join(
        column if text == column else f"{text} as {column}"
        for column, text in columns.items()
    )
    return f"""with given as (

    select * from {{{{ ref('{parent}') }}}}

),

final as (

    select
        {selected}
    from given

)

select * from final
"""


def _line_expressions(used: Guess, own_formats: bool) -> dict[str, str]:
    """Contract column -> SQL, in the contract's order."""
    given = {role: _expression(used, role, own_formats) for role in OF_LINES}
    key = given["customer_id"]
    if not given["order_id"]:
        # what a customer bought at one time
        given["order_id"] = (
            "concat(\n"
            f"            coalesce({key}, ''), '-', cast(ordered_at as "
            "{{ dbt.type_string() }})\n        )"
        )
    given["product_id"] = given["product_id"] or "'any'"
    if "amount" in used.choices:
        amount = _expression(used, "amount", own_formats).strip("{} ")
        amount = amount if "(" in amount else f"'{amount}'"
        given["quantity"] = f"{{{{ quantity_of_amount({amount}) }}}}"
        given["unit_price"] = f"{{{{ price_of_amount({amount}) }}}}"
    given["quantity"] = given["quantity"] or "'1'"
    return {column: text for column, text in given.items() if text}


def _expression(used: Guess, role: str, own_formats: bool) -> str:
    """SQL of a role's column as the contract wants it; empty if there is none."""
    column = used.column(role)
    if column is None:
        return ""
    if role == "customer_id" and used.key_is_personal:
        # no address or name goes into the exports: a code of it stands for it
        return "md5(lower({{ parse_text('customer_id') }}))"
    if role in DATES:
        return _date(column, role, own_formats)
    if role in NUMBERS and column.must_be_rewritten:
        return f"{{{{ plain_number('{role}', '{column.decimal_mark}') }}}}"
    if role.startswith("consent_"):
        return f"{{{{ plain_boolean('{role}') }}}}"
    return role


def _date(column: Column, role: str, own_formats: bool) -> str:
    dates = column.dates
    if dates.epoch_unit:
        return f"{{{{ plain_epoch('{role}', {dates.epoch_unit}) }}}}"
    if own_formats and dates.formats:
        formats = ", ".join(f"'{each}'" for each in dates.formats)
        return f"{{{{ plain_timestamp('{role}', [{formats}]) }}}}"
    return role


def _attribute(used: Guess, header: str) -> str:
    (column,) = (each for each in used.columns if each.header == header)
    name = attribute_names(used)[header]
    if used.attributes[header] == "numeric" and column.must_be_rewritten:
        return f"{{{{ plain_number('{name}', '{column.decimal_mark}') }}}}"
    return name


def _derived_customers(name: str, used: Guess, roles: list[str], own: bool) -> str:
    """One row per customer of the orders. Where its rows differ any will do."""
    key = _expression(used, "customer_id", own)
    named = key if key == "customer_id" else f"{key} as customer_id"
    selected = "".join(
        f",\n        max({_expression(used, role, own)}) as {role}" for role in roles
    )
    return f"""-- The file has no table of customers: they are the ids on its rows.
-- Where rows of one differ, the last in the alphabet is taken, each time the same.
with given as (

    select * from {{{{ ref('{name}__raw_lines') }}}}
    where
        reject_reason is null
        and {{{{ parse_text('customer_id') }}}} is not null

),

final as (

    select
        {named}{selected}
    from given
    group by {key}

)

select * from final
"""


# ---- YAML ---------------------------------------------------------------------------


def _reader(
    name: str, what: str, table: str, source: Source, variable: str | None
) -> dict:
    """What the properties of a model that reads a file say."""
    columns = {
        role: choice.column.header for role, choice in source.guess.choices.items()
    }
    columns |= {
        column: header for header, column in attribute_names(source.guess).items()
    }
    return {
        "name": f"{name}__raw_{what}",
        "variable": variable,
        "table": table,
        "delimiter": source.table.delimiter,
        "columns": columns,
    }


def _properties(name: str, readers: list[dict], mapped: list[str]) -> str:
    enabled = f"\"{{{{ var('input') == '{name}' }}}}\""
    lines = [
        f"{MARK}. On the left are the names of the contract, in",
        "# brackets the headers of your file. Change them here, or run init again.",
        "models:",
    ]
    for reader in readers:
        what = reader["table"].replace("_", " ")
        lines += [
            f"  - name: {reader['name']}",
            f"    description: The file of {what} as it stands. One row per row of it.",
            "    config:",
            f"      enabled: {enabled}",
            "      meta:",
            "        data_file:",
        ]
        if reader["variable"]:
            lines.append(f"          path_variable: {reader['variable']}")
        lines.append(f"          table: {reader['table']}")
        if reader["delimiter"]:
            lines.append(f"          delimiter: {json.dumps(reader['delimiter'])}")
        lines.append("          columns:")
        lines += [
            f"            {column}: [{_header(header)}]"
            for column, header in reader["columns"].items()
        ]
    for model in mapped:
        table = model.partition("__")[2].replace("_", " ")
        lines += [
            f"  - name: {model}",
            f"    description: The {table} in the terms of the contract. One row each.",
            f"    config: {{enabled: {enabled}}}",
        ]
    return "\n".join(lines) + "\n"


def _header(header: str) -> str:
    """A header as YAML that dbt does not take for Jinja; signs do not count anyway."""
    plain = "".join(c if c.isprintable() and c not in "{}" else " " for c in header)
    return json.dumps(plain, ensure_ascii=False)


def _segmentation(
    used: Guess, attributes: dict[str, str], features: list[str] | None
) -> dict:
    chosen = segmentation_features(used, features)
    return {
        "description": "Who is like whom in what is known of the customers.",
        "algorithm": "kmeans",
        "cluster_count": "auto",
        "minimum_cluster_count": 3,
        "maximum_cluster_count": 10,
        "features": {
            attributes[header]: {"transform": transform} if transform else {}
            for header, transform in chosen.items()
        },
    }


def attribute_names(used: Guess) -> dict[str, str]:
    """Header -> a name of small letters, digits and underscores, each once."""
    reserved = {
        word
        for (word,) in duckdb.execute(
            "select keyword_name from duckdb_keywords() "
            "where keyword_category <> 'unreserved'"
        ).fetchall()
    }
    names: dict[str, str] = {}
    for header in used.attributes:
        name = _slug(header)
        if name in TAKEN or name in reserved or name in used.choices:
            name = f"{name}_value"
        base, number = name, 2
        while name in names.values():
            name, number = f"{base}_{number}", number + 1
        names[header] = name
    return names


def _slug(header: str) -> str:
    from segmentation.command_line.words import without_accents

    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header)
    text = re.sub(r"[^a-z0-9]+", "_", without_accents(text)).strip("_")[:40].rstrip("_")
    return text if text[:1].isalpha() else f"attribute_{text}".rstrip("_")


def _common_formats(sources: dict[str, Source]) -> list[str] | None:
    """The formats of all dates; None where one format would be wrong for another."""
    formats: dict[str, None] = {}
    orders = set()
    for source in sources.values():
        for role in DATES:
            column = source.guess.column(role)
            if column is None or column.dates.epoch_unit:
                continue
            if column.dates.must_be_rewritten:
                return None
            if column.dates.is_day_first is not None:
                orders.add(column.dates.is_day_first)
            formats |= dict.fromkeys(column.dates.formats)
    return None if len(orders) > 1 else list(formats)
