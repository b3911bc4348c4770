"""The semantic model as data: tables, columns, relationships and measures.

Made from the contracts in dbt's manifest and the specification in
``powerbi/specification``. Pure functions; ``tmdl`` turns the model into text.
"""

import re
from dataclasses import dataclass, field

MEASURE_TABLE = "Key Measures"
TABLE_KEYS = {
    "name", "orders", "columns", "omit", "orders_only", "hide", "show", "sort_by",
    "values", "hierarchies", "categories", "formats",
}  # fmt: skip
MEASURE_KEYS = {"description", "format", "of", "dax"}
CAPITALS = {"rfm": "RFM", "sql": "SQL", "sms": "SMS", "kpi": "KPI", "psi": "PSI"}
SMALL_WORDS = {"against", "at", "by", "if", "in", "of", "per", "to", "with"}
# A visible column's format, by the end of its name and then by its type.
FORMATS_BY_NAME = {
    r"(_share|_rate|_probability|share_.*|uplift.*|.*lift(_lower|_upper)?)$": "0.0%",
    r"(year|quarter|.*_score|rfm_code|.*_version|.*_number|bin)$": "0",
}
FORMATS_BY_TYPE = {
    "integer": "#,##0",
    "bigint": "#,##0",
    "decimal": "#,##0.00",
    "double": "#,##0.00",
    "date": "yyyy-mm-dd",
    "timestamp": "yyyy-mm-dd hh:nn",
}
# What a measure of customers does where segments are filtered. Customers are filtered
# by key, so each counts once and no filter flows from many to one.
OF_CHOSEN_CUSTOMERS = """\
VAR ChosenCustomers = VALUES ( 'Customer Segments'[Customer Key] )
RETURN
    IF (
        NOT ISFILTERED ( Segments ),
{all},
        IF (
            HASONEVALUE ( Segments[Segmentation] ),
            CALCULATE (
{chosen},
                TREATAS ( ChosenCustomers, Customers[Customer] )
            )
        )
    )"""
OF_ONE_SEGMENTATION = """\
IF (
    HASONEVALUE ( Segments[Segmentation] ),
{all}
)"""
SELF_CHECK_RESULT = """\
SUMX (
    'Self Check',
    VAR ChosenSegmentation = 'Self Check'[Segmentation]
    VAR ChosenSegment = 'Self Check'[Segment Key]
    VAR ChosenCountry = 'Self Check'[Country]{variables}
    RETURN
        CALCULATE (
            IF (
                ISBLANK ( ChosenSegment ),
                [Self-Check Measure],
                CALCULATE (
                    [Self-Check Measure],
                    Segments[Segment Key] = ChosenSegment
                )
            ),
            REMOVEFILTERS ( Segmentations ),
            REMOVEFILTERS ( Segments ),
            REMOVEFILTERS ( Customers ),
            FILTER (
                ALL ( Segmentations[Segmentation] ),
                ISBLANK ( ChosenSegmentation )
                    || Segmentations[Segmentation] = ChosenSegmentation
            ),
            FILTER (
                ALL ( Customers[Country] ),
                ISBLANK ( ChosenCountry ) || Customers[Country] = ChosenCountry
            ){filters}
        )
)"""
SELF_CHECK_DATES = (
    """
    VAR FirstDay = 'Self Check'[First Date]
    VAR LastDay = 'Self Check'[Last Date]""",
    """,
            REMOVEFILTERS ( Orders ),
            REMOVEFILTERS ( Dates ),
            FILTER (
                ALL ( Dates[Date] ),
                ISBLANK ( FirstDay )
                    || ( Dates[Date] >= FirstDay && Dates[Date] <= LastDay )
            )""",
)
SELF_CHECK_DIFFERENCE = """\
SUMX (
    'Self Check',
    ABS ( [Self-Check Result] - [Self-Check Expected] )
)"""
# The figures in SQL are rounded to six digits, some of them twice.
SELF_CHECK_FAILURES = """\
COUNTROWS (
    FILTER (
        'Self Check',
        [Self-Check Difference]
            > 0.000002 + DIVIDE ( ABS ( [Self-Check Expected] ), 1000000000 )
    )
) + 0"""
SELF_CHECK_VERDICT = """\
IF (
    [Self-Check Failures] = 0,
    "All " & COUNTROWS ( 'Self Check' ) & " figures agree with those computed in SQL.",
    [Self-Check Failures] & " of " & COUNTROWS ( 'Self Check' )
        & " figures differ from those computed in SQL: see the list."
)"""
REFERENCE = re.compile(
    r"""(?:'(?P<quoted>[^']+)'|(?P<table>[A-Za-z_]\w*))?\[(?P<name>[^\]]+)\]"""
)
STRING = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Column:
    """A column of a mart, or one that sorts another by a list of its values."""

    name: str
    source: str
    data_type: str
    description: str
    is_hidden: bool = False
    is_key: bool = False
    format: str | None = None
    sort_by: str | None = None
    category: str | None = None
    order_of: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A measure of the table `MEASURE_TABLE`."""

    name: str
    folder: str
    description: str
    format: str | None
    dax: str
    is_hidden: bool = False

    @property
    def is_figure(self) -> bool:
        """Whether it is a number, and not text or a date."""
        return self.format is not None and "y" not in self.format


@dataclass(frozen=True)
class Table:
    """A mart under its business name; without a mart the table of measures."""

    name: str
    mart: str | None
    description: str
    columns: tuple[Column, ...] = ()
    hierarchies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    is_calendar: bool = False

    def column(self, source: str) -> Column:
        """Return the column that a mart's column became."""
        for column in self.columns:
            if column.source == source:
                return column
        raise KeyError(f"{self.mart} has no column {source} in the Power BI model.")


@dataclass(frozen=True)
class Relationship:
    """From many rows to one; filters flow the other way."""

    from_table: str
    from_column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Model:
    """The semantic model of one project."""

    name: str
    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]

    def table(self, name: str) -> Table:
        """Return the table of a business name."""
        return next(table for table in self.tables if table.name == name)

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures by name."""
        return {m.name: m for table in self.tables for m in table.measures}


def read_model(
    manifest: dict, tables: dict, measures: dict, *, name: str, has_orders: bool
) -> Model:
    """Make the model from the marts' contracts and the specification.

    Parameters
    ----------
    manifest
        dbt's target/manifest.json of an input with orders, so that no mart is off.
    tables, measures
        The contents of tables.yml and measures.yml.
    name
        What the project is called.
    has_orders
        Whether the project is for inputs with orders; else what needs them is left out.

    Raises ValueError where the specification names something that does not exist.

    """
    contracts = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    specified = {
        mart: specification
        for mart, specification in tables["tables"].items()
        if has_orders or not specification.get("orders")
    }
    endpoints = [
        tuple(tuple(end.split(".")) for end in pair)
        for pair in tables["relationships"].items()
    ]
    _refuse_unknown_marts(contracts, tables["tables"], endpoints)
    by_mart = {
        mart: _table(contracts[mart], specification, endpoints, has_orders)
        for mart, specification in specified.items()
    }
    relationships = tuple(
        Relationship(
            by_mart[many].name,
            by_mart[many].column(foreign_key).name,
            by_mart[one].name,
            by_mart[one].column(key).name,
        )
        for (many, foreign_key), (one, key) in endpoints
        if many in by_mart and one in by_mart
    )
    everything = {
        (specification["name"], column)
        for mart, specification in tables["tables"].items()
        for column in _names(contracts[mart], specification)
    }
    here = {(t.name, c.name) for t in by_mart.values() for c in t.columns}
    found = _measures(measures, everything, here)
    home = Table(
        MEASURE_TABLE,
        None,
        "The measures, in folders. The table has no rows.",
        (Column("Name", "name", "string", "Without values.", is_hidden=True),),
        measures=(*found, *self_check_measures(found, has_orders=has_orders)),
    )
    return Model(name, (home, *by_mart.values()), relationships)


def _refuse_unknown_marts(contracts: dict, tables: dict, endpoints: list) -> None:
    named = set(tables) | {mart for pair in endpoints for mart, _ in pair}
    unknown = sorted(named - set(contracts))
    if unknown:
        raise ValueError(
            f"powerbi/specification/tables.yml names {', '.join(unknown)}, which is no "
            "model of the manifest. Correct the name, or build an input with orders."
        )
    for mart, specification in tables.items():
        if keys := set(specification) - TABLE_KEYS:
            raise ValueError(f"tables.yml, {mart}: unknown key {', '.join(keys)}.")
        columns = set(contracts[mart]["columns"])
        mentioned = {
            column
            for key in TABLE_KEYS - {"name", "orders", "hierarchies"}
            for column in specification.get(key, ())
        }
        if strangers := sorted(mentioned - columns):
            raise ValueError(
                f"tables.yml, {mart}: {', '.join(strangers)} is no column of the mart."
            )


def _names(contract: dict, specification: dict) -> dict[str, str]:
    """Business name -> column, of all columns that may come in."""
    given = specification.get("columns", {})
    names: dict[str, str] = {}
    for column, properties in contract["columns"].items():
        is_personal = properties.get("config", {}).get("meta", {}).get("personal_data")
        if is_personal or column in specification.get("omit", ()):
            continue
        name = given.get(column) or business_name(column)
        if name in names:
            raise ValueError(
                f"tables.yml, {contract['name']}: {names[name]} and {column} are both "
                f"called {name}."
            )
        names[name] = column
    return names


def business_name(column: str) -> str:
    """Return the name by the rule.

    >>> business_name("recency_days"), business_name("segment_id")
    ('Recency Days', 'Segment Key')
    """
    words = re.sub(r"_id$", "_key", column).split("_")
    return " ".join(
        word if word in SMALL_WORDS and place else CAPITALS.get(word, word.capitalize())
        for place, word in enumerate(words)
    )


def _table(
    contract: dict, specification: dict, endpoints: list, has_orders: bool
) -> Table:
    mart = contract["name"]
    absent = () if has_orders else specification.get("orders_only", ())
    names = {
        column: name
        for name, column in _names(contract, specification).items()
        if column not in absent
    }
    keys = {column for _, (one, column) in endpoints if one == mart}
    foreign_keys = {column for (many, column), _ in endpoints if many == mart}
    ids = {column for column in names if column.endswith("_id")}
    hidden = (ids | foreign_keys | set(specification.get("hide", ()))) - set(
        specification.get("show", ())
    )
    values = {
        column: tuple(order)
        for column, order in specification.get("values", {}).items()
        if column in names
    }
    sort_by = {
        **{c: names[by] for c, by in specification.get("sort_by", {}).items()},
        **{column: f"{names[column]} Order" for column in values},
    }
    formats = specification.get("formats", {})
    columns = [
        Column(
            name=name,
            source=column,
            data_type=_type(contract["columns"][column]["data_type"]),
            description=_one_line(contract["columns"][column]["description"]),
            is_hidden=column in hidden,
            is_key=column in keys,
            format=formats.get(column)
            or _format(column, _type(contract["columns"][column]["data_type"])),
            sort_by=sort_by.get(column),
            category=specification.get("categories", {}).get(column),
        )
        for column, name in names.items()
    ]
    columns += [
        Column(
            name=sort_by[column],
            source=f"{column}_order",
            data_type="integer",
            description=f"The order of {names[column]}.",
            is_hidden=True,
            format="0",
            order_of=column,
            values=order,
        )
        for column, order in values.items()
    ]
    return Table(
        specification["name"],
        mart,
        _one_line(contract["description"]),
        tuple(columns),
        {
            hierarchy: tuple(names[level] for level in levels)
            for hierarchy, levels in specification.get("hierarchies", {}).items()
        },
        is_calendar=mart == "dim_dates",
    )


def _type(data_type: str) -> str:
    """The type without precision, in lower case."""
    return data_type.split("(")[0].lower()


def _format(column: str, data_type: str) -> str | None:
    for pattern, pattern_format in FORMATS_BY_NAME.items():
        if data_type in ("double", "integer") and re.search(pattern, column):
            return pattern_format
    return FORMATS_BY_TYPE.get(data_type)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _measures(specification: dict, everything: set, here: set) -> tuple[Measure, ...]:
    """Make the measures whose columns and measures are all in the project."""
    found: dict[str, Measure] = {}
    names = [name for folder in specification["folders"].values() for name in folder]
    left_out: set[str] = set()
    for folder, measures in specification["folders"].items():
        for name, properties in measures.items():
            if keys := set(properties) - MEASURE_KEYS:
                raise ValueError(
                    f"measures.yml, {name}: unknown key {', '.join(keys)}."
                )
            dax = _dax(properties)
            columns, used = references(dax)
            if unknown := sorted(columns - everything) + sorted(used - set(names)):
                raise ValueError(
                    f"measures.yml, {name}: {unknown[0]} is neither a column nor a "
                    "measure."
                )
            if not columns <= here or used & left_out:
                left_out.add(name)
                continue
            found[name] = Measure(
                name,
                folder,
                _one_line(properties["description"]),
                specification["formats"][properties["format"]]
                if "format" in properties
                else None,
                dax,
            )
    return tuple(found.values())


def self_check_measures(
    measures: tuple[Measure, ...], *, has_orders: bool
) -> tuple[Measure, ...]:
    """Return what compares every figure with what rpt_self_check says of it."""
    cases = ",\n".join(
        f'    "{measure.name}", [{measure.name}]'
        for measure in measures
        if measure.is_figure
    )
    chosen = SELF_CHECK_RESULT.format(
        variables=SELF_CHECK_DATES[0] if has_orders else "",
        filters=SELF_CHECK_DATES[1] if has_orders else "",
    )
    folder = "Self-check"
    return (
        Measure(
            "Self-Check Measure",
            folder,
            "The measure that the chosen row of Self Check names.",
            "#,##0.00",
            f"SWITCH (\n    SELECTEDVALUE ( 'Self Check'[Measure] ),\n{cases}\n)",
            is_hidden=True,
        ),
        Measure(
            "Self-Check Expected",
            folder,
            "What the measure must show, computed in SQL.",
            "#,##0.00",
            "SUM ( 'Self Check'[Expected Value] )",
        ),
        Measure(
            "Self-Check Result",
            folder,
            "What the measure shows under the filters of the row, whatever is chosen.",
            "#,##0.00",
            chosen,
        ),
        Measure(
            "Self-Check Difference",
            folder,
            "How far the results are from what is expected, whatever the sign.",
            "#,##0.000000",
            SELF_CHECK_DIFFERENCE,
        ),
        Measure(
            "Self-Check Failures",
            folder,
            "How many figures differ from those computed in SQL, beyond rounding.",
            "#,##0",
            SELF_CHECK_FAILURES,
        ),
        Measure(
            "Self-Check Verdict",
            folder,
            "Whether all figures agree with those computed in SQL, in a sentence.",
            None,
            SELF_CHECK_VERDICT,
        ),
    )


def references(dax: str) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the columns, as table and name, and the measures that an expression names.

    >>> references("DIVIDE ( [Revenue], SUM ( 'Segment Moves'[Customers] ) )")
    ({('Segment Moves', 'Customers')}, {'Revenue'})
    """
    columns, measures = set(), set()
    for match in REFERENCE.finditer(STRING.sub('""', dax)):
        table = match["quoted"] or match["table"]
        if table:
            columns.add((table, match["name"]))
        elif not match["name"].startswith("@"):
            measures.add(match["name"])
    return columns, measures


def _dax(properties: dict) -> str:
    dax = properties["dax"].rstrip("\n")
    match properties.get("of"):
        case None:
            return dax
        case "chosen customers":
            return OF_CHOSEN_CUSTOMERS.format(
                all=_indented(dax, 8), chosen=_indented(dax, 16)
            )
        case "one segmentation":
            return OF_ONE_SEGMENTATION.format(all=_indented(dax, 4))
        case other:
            raise ValueError(f"measures.yml: of: {other} is unknown.")


def _indented(dax: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in dax.splitlines())
