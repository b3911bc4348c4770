"""What a measure of the report gives in a filter context, by SQL over the exports.

For the pictures of the pages, where no DAX runs. A context restricts columns of the
model to values; filters flow along the model's relationships, from the one side to the
many, as in Power BI: each table of the exports is replaced by its filtered self, and a
measure is a query over those. `MEASURES` has those that the pages show.
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from segmentation.power_bi.model import Model

CUSTOMER = "Customers.Customer"
# Tables that measures "of: chosen customers" read: of the members where segments are
# chosen, each customer once.
OF_CHOSEN_CUSTOMERS = {
    "dim_customers", "fct_orders", "fct_audiences", "fct_customer_attributes",
}  # fmt: skip
Context = Mapping[str, Any]  # "Table.Column": values, Not(values) or Days(first, next)


@dataclass(frozen=True)
class Not:
    """All values but these."""

    values: tuple


@dataclass(frozen=True)
class Days:
    """Days from the first up to, not including, the next."""

    first: date
    next: date


class Figures:
    """Answers what a visual asks: fields and filters in, rows of values out."""

    def __init__(self, model: Model, folder: Path, context: Context | None = None):
        """Open the Parquet files of a published set under a model's names."""
        self.model = model
        self.context = dict(context or {})
        self.tables = {table.name: table for table in model.tables if table.mart}
        self.connection = duckdb.connect()
        for table in self.tables.values():
            path = folder / f"{table.mart}.parquet"
            self.connection.execute(
                f"create view {table.mart} as select * from '{path.as_posix()}'"
            )

    def of_page(self, context: Context) -> "Figures":
        """Return the figures of a page whose slicers choose this."""
        found = copy.copy(self)
        found.context = dict(context)
        return found

    def __call__(
        self, fields: Sequence[str], filters: Sequence[Mapping[str, Any]] = ()
    ) -> list[tuple]:
        """Return the rows that a visual with these fields shows, no empty ones."""
        context = dict(self.context)
        for given in filters:
            for field, values in given.items():
                is_not = isinstance(values, Mapping)
                context[field] = Not(tuple(values["not"])) if is_not else values
        columns = [field for field in fields if field not in MEASURES]
        measures = [field for field in fields if field in MEASURES]
        places = {field: place for place, field in enumerate(columns + measures)}
        rows = []
        if CUSTOMER in columns:
            of_customer = {name: self._by_customer(name, context) for name in measures}
        for key in self._keys(columns, context):
            if CUSTOMER in columns:
                customer = key[columns.index(CUSTOMER)]
                row = (*key, *(of_customer[name].get(customer) for name in measures))
                rows.append(tuple(row[places[field]] for field in fields))
                continue
            inner = context | {c: [v] for c, v in zip(columns, key, strict=True)}
            values = [self.measure(name, inner) for name in measures]
            told = [v for n, v in zip(measures, values, strict=True) if n not in TEXTS]
            if not measures or any(v is not None for v in (told or values)):
                row = (*key, *values)
                rows.append(tuple(row[places[field]] for field in fields))
        return rows

    def measure(self, name: str, context: Context) -> Any:
        """Return one measure in one context; None where it is blank."""
        definition = MEASURES[name]
        if name in OF_ONE_SEGMENTATION and self._segmentations(context) != 1:
            return None
        if callable(definition):
            return definition(self, context)
        return self.one(definition, context)

    def one(self, sql: str, context: Context) -> Any:
        """Return the one value of a query over the filtered tables."""
        if self._has_several_segmentations(context):
            return None
        row = self.connection.execute(self._with_filters(sql, context)).fetchone()
        return row[0] if row else None

    def _by_customer(self, name: str, context: Context) -> dict[str, Any]:
        """One measure of every customer, in one query: they are many."""
        expression = re.fullmatch(
            r"select (.+) from dim_customers", str(MEASURES[name])
        )
        if expression:
            sql = f"select customer_id, {expression[1]} from dim_customers group by all"
        else:
            column = {
                "Segment Colour": "max(colour)",
                "Segment Name": "max(segment_name)",
                "Segment Marker": "'■'",
            }[name]
            sql = (
                f"select customer_id, {column} from fct_customer_segments "
                "join dim_segments using (segment_id) group by customer_id "
                "having count(*) = 1"
            )
        return dict(
            self.connection.execute(self._with_filters(sql, context)).fetchall()
        )

    # ---- contexts

    def _source(self, field: str) -> tuple[str, str]:
        table, _, column = field.partition(".")
        found = self.tables[table]
        return found.mart, next(c.source for c in found.columns if c.name == column)

    def _has_several_segmentations(self, context: Context) -> bool:
        chosen = any(field.startswith("Segments.") for field in context)
        return chosen and self._segmentations(context) > 1

    def _segmentations(self, context: Context) -> int:
        sql = "select count(distinct segmentation) from dim_segments"
        return self.connection.execute(self._with_filters(sql, context)).fetchone()[0]

    def _with_filters(self, sql: str, context: Context) -> str:
        """Put before a query the tables that it sees: those that filters reach."""
        conditions: dict[str, list[str]] = {}
        for field, values in context.items():
            mart, column = self._source(field)
            conditions.setdefault(mart, []).append(_condition(column, values))
        seen = {table.mart: f"main.{table.mart}" for table in self.tables.values()}
        parts = []

        def restrict(mart: str, kind: str, condition: str) -> None:
            parts.append(
                f"{mart}_{kind} as (select * from {seen[mart]} where {condition})"
            )
            seen[mart] = f"{mart}_{kind}"

        for name in self._from_one_to_many():
            mart = self.tables[name].mart
            found = conditions.get(mart, [])
            for link in self._links(name):
                one, one_key = self._source(f"{link.to_table}.{link.to_column}")
                _, key = self._source(f"{name}.{link.from_column}")
                if not seen[one].startswith("main."):
                    found.append(f"{key} in (select {one_key} from {seen[one]})")
            if found:
                restrict(mart, "filtered", " and ".join(found))
        if any(field.startswith("Segments.") for field in context):
            members = f"select customer_id from {seen['fct_customer_segments']}"
            for mart in OF_CHOSEN_CUSTOMERS & set(seen):
                restrict(mart, "chosen", f"customer_id in ({members})")
        parts += [
            f"{mart} as (select * from {name})"
            for mart, name in seen.items()
            if not name.startswith("main.")
        ]
        return f"with {', '.join(parts)} {sql}" if parts else sql

    def _links(self, name: str) -> list:
        return [link for link in self.model.relationships if link.from_table == name]

    def _from_one_to_many(self) -> list[str]:
        """The tables, each after those that filter it."""
        found: list[str] = []
        while len(found) < len(self.tables):
            found += [
                name
                for name in self.tables
                if name not in found
                and all(link.to_table in found for link in self._links(name))
            ]
        return found

    # ---- rows

    def _keys(self, columns: Sequence[str], context: Context) -> list[tuple]:
        if not columns:
            return [()]
        tables = list(dict.fromkeys(column.partition(".")[0] for column in columns))
        home = self._home(tables)
        shown, orders = [], []
        for field in columns:
            table, _, name = field.partition(".")
            column = next(c for c in self.tables[table].columns if c.name == name)
            mart = self.tables[table].mart
            shown.append(f"{mart}.{column.source}")
            by = column.sort_by and next(
                c for c in self.tables[table].columns if c.name == column.sort_by
            )
            if by is None:
                orders.append(f"{mart}.{column.source}")
            elif by.order_of:
                listed = ", ".join(_value(value) for value in by.values)
                orders.append(f"list_position([{listed}], {mart}.{column.source})")
            else:
                orders.append(f"min({mart}.{by.source})")
        sql = (
            f"select {', '.join(shown)} from {self._joined(home, tables)} "
            f"group by {', '.join(shown)} order by {', '.join(orders)}"
        )
        return self.connection.execute(self._with_filters(sql, context)).fetchall()

    def _home(self, tables: Sequence[str]) -> str | None:
        """The table that knows which rows of the others go together, if any does."""
        if len(tables) == 1:
            return tables[0]
        to = {}
        for link in self.model.relationships:
            to.setdefault(link.from_table, set()).add(link.to_table)
        wanted = set(tables)
        candidates = [name for name, ones in to.items() if wanted <= ones | {name}]
        preferred = [name for name in candidates if name in wanted]
        return next(iter(preferred or candidates), None)

    def _joined(self, home: str | None, tables: Sequence[str]) -> str:
        if home is None:
            return " cross join ".join(self.tables[name].mart for name in tables)
        text = self.tables[home].mart
        for link in self.model.relationships:
            if link.from_table == home and link.to_table in tables:
                _, key = self._source(f"{home}.{link.from_column}")
                one, one_key = self._source(f"{link.to_table}.{link.to_column}")
                text += (
                    f" join {one} on {self.tables[home].mart}.{key} = {one}.{one_key}"
                )
        return text


def _condition(column: str, values: Any) -> str:
    if isinstance(values, Days):
        return f"{column} >= date '{values.first}' and {column} < date '{values.next}'"
    if isinstance(values, Not):
        return f"not {_condition(column, list(values.values))}"
    known = [_value(value) for value in values if value is not None]
    parts = [f"{column} in ({', '.join(known)})"] if known else []
    if None in values:
        parts.append(f"{column} is null")
    return f"({' or '.join(parts)})"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if hasattr(value, "isoformat"):
        kind = "timestamp" if hasattr(value, "hour") else "date"
        return f"{kind} '{value.isoformat()}'"
    return str(value)


# ---- measures that look at another context -----------------------------------------


def _without(context: Context, *tables: str) -> dict[str, Any]:
    return {
        field: values
        for field, values in context.items()
        if field.partition(".")[0] not in tables
    }


def _ratio(above: Any, below: Any) -> float | None:
    return None if above is None or not below else float(above) / float(below)


def _share_of(name: str, *tables: str) -> Callable[[Figures, Context], Any]:
    def share(figures: Figures, context: Context) -> float | None:
        everybody = figures.measure(name, _without(context, *tables))
        return _ratio(figures.measure(name, context), everybody)

    return share


def _ratio_of(above: str, below: str) -> Callable[[Figures, Context], Any]:
    return lambda figures, context: _ratio(
        figures.measure(above, context), figures.measure(below, context)
    )


def _as_of(figures: Figures) -> date:
    return figures.one("select max(as_of_date) from main.dim_customers", {})


def _shifted_year(day: date) -> date:
    return figures_day(day.year - 1, day.month, day.day)


def figures_day(year: int, month: int, day: int) -> date:
    """Return a day, the last one of the month where the month is too short."""
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def _revenue_a_year_before(figures: Figures, context: Context) -> Any:
    first, last = (
        figures.one(f"select {end}(date_day) from dim_dates", _only_dates(context))
        for end in ("min", "max")
    )
    if first is None:
        return None
    following = min(last + timedelta(days=1), _as_of(figures))
    if first >= following:
        return None
    year = Days(_shifted_year(first), _shifted_year(following))
    return figures.measure("Revenue", _without(context, "Dates") | {"Dates.Date": year})


def _only_dates(context: Context) -> dict[str, Any]:
    return {f: v for f, v in context.items() if f.startswith("Dates.")}


def _revenue_last_12_months(figures: Figures, context: Context) -> Any:
    as_of = _as_of(figures)
    year = Days(_shifted_year(as_of), as_of)
    return figures.measure("Revenue", _without(context, "Dates") | {"Dates.Date": year})


def _churn_rate(figures: Figures, context: Context) -> float | None:
    horizon = figures.one("select max(horizon_days) from main.rpt_retention", {})
    as_of = _as_of(figures)
    middle = as_of - timedelta(days=horizon)
    first = middle - timedelta(days=horizon)
    days = Days(first, as_of)
    known = _without(context, "Dates") | {"Dates.Date": days}
    counts = (
        "select count(*) filter (before), count(*) filter (before and since) from ("
        f"select bool_or(order_date < date '{middle}') as before, "
        f"bool_or(order_date >= date '{middle}') as since from fct_orders "
        "where is_purchase and not is_guest group by customer_id)"
    )
    if figures._has_several_segmentations(context):
        return None
    before, both = figures.connection.execute(
        figures._with_filters(counts, known)
    ).fetchone()
    return 1 - both / before if before >= 30 else None


def _customers_then(figures: Figures, context: Context) -> Any:
    last = figures.one(
        "select max(month_end_date) from rpt_segment_trends",
        _without(context, "Segments"),
    )
    if last is None:
        return None
    return figures.one(
        "select sum(customer_count) from rpt_segment_trends "
        f"where month_end_date = date '{last}'",
        context,
    )


def _calibration(value: str) -> str:
    return (
        f"select avg({value}) from rpt_churn_validation "
        "where measure = 'calibration' and is_chosen"
    )


_OF_SEGMENT = (
    "select case when count(distinct {column}) = 1 then max({column}) end "
    "from dim_segments "
    "where segment_id in (select segment_id from fct_customer_segments)"
)

MEASURES: dict[str, str | Callable[[Figures, Context], Any]] = {
    "Customer Count": "select nullif(count(*), 0) from dim_customers",
    "Share of Customers": _share_of("Customer Count", "Segments"),
    "Active Customers": "select nullif(count(distinct customer_id), 0) from fct_orders "
    "where is_purchase",
    "Revenue": "select sum(net_amount) from fct_orders",
    "Purchases": "select nullif(count(*), 0) from fct_orders where is_purchase",
    "Average Order Value": _ratio_of("Revenue", "Purchases"),
    "Revenue Previous Year": _revenue_a_year_before,
    "Revenue Last 12 Months": _revenue_last_12_months,
    "Share of Top 20 %": """
        select sum(revenue) filter (place <= ceil(customers / 5)) / sum(revenue) from (
            select
                sum(net_amount) as revenue,
                count(*) over () as customers,
                row_number() over (order by sum(net_amount) desc, customer_id) as place
            from fct_orders where customer_id is not null group by customer_id
        )""",
    "Repeat Purchase Rate": "select count(*) filter (frequency > 1) "
    "/ nullif(count(*) filter (frequency > 0), 0) from dim_customers",
    "Churn Rate": _churn_rate,
    "Net Spend": "select sum(monetary) from dim_customers",
    "Share of Net Spend": _share_of("Net Spend", "Segments"),
    "Average Recency Days": "select avg(recency_days) from dim_customers",
    "Average Frequency": "select sum(frequency) / count(*) from dim_customers",
    "Customers Then": _customers_then,
    "Customer Moves": "select sum(customer_count) from rpt_segment_migration",
    "Cohort Retention Rate": "select sum(active_customer_count) / sum(customer_count) "
    "from rpt_cohort_retention where is_complete",
    "Share with Second Purchase": "select max(share_with_second_purchase) "
    "from rpt_second_purchase where group_kind = 'all'",
    "Value if Retained": "select sum(value_if_retained) from dim_customers",
    "Value at Risk": "select sum(value_at_risk) from dim_customers",
    "Share at Risk": _ratio_of("Value at Risk", "Value if Retained"),
    "Average Churn Probability": "select avg(churn_probability) from dim_customers",
    "High-Value Customers at Risk": "select nullif(count(*), 0) from dim_customers "
    "where is_high_value_at_risk",
    "Contactable Customers": "select nullif(count(*), 0) from fct_audiences "
    "where assignment <> 'not_contactable'",
    "Customers to Contact": "select nullif(count(*), 0) from fct_audiences "
    "where assignment = 'treatment'",
    "Audience Worth": "select sum(expected_value) from fct_audiences "
    "where assignment = 'treatment'",
    "Measurable Audiences": "select count(*) from rpt_audiences where can_be_measured",
    "Profile Index": "select avg(index_against_all) from rpt_segment_profiles",
    "Average Attribute": "select avg(number_value) from fct_customer_attributes",
    "Segment Colour": _OF_SEGMENT.format(column="colour"),
    "Segment Name": _OF_SEGMENT.format(column="segment_name"),
    "Segment Marker": f"select case when ({_OF_SEGMENT.format(column='colour')}) "
    "is not null then '■' end",
    "Silhouette": "select avg(silhouette) from rpt_segment_candidates",
    "Stability": "select avg(stability) from rpt_segment_candidates",
    "Inertia": "select avg(inertia) from rpt_segment_candidates",
    "Feature Contribution": "select sum(contribution) from rpt_segmentation_features",
    "Predicted Churn": _calibration("predicted"),
    "Observed Churn": _calibration("estimate"),
    "Predicted Spend": "select avg(predicted) from rpt_value_validation "
    "where model = 'expected_value' and measure = 'decile'",
    "Actual Spend": "select avg(actual) from rpt_value_validation "
    "where model = 'expected_value' and measure = 'decile'",
    "Segmentation Message": """
        select case when count(distinct segmentation) = 1
            then 'Segmentation: ' || max(segmentation)
            else 'Choose one segmentation: a customer is in a segment of each.'
        end from dim_segments""",
    "Structure Verdict": """
        select case when count(*) = 1 then max(
            case structure
                when 'separated' then 'Yes: the groups lie apart and come out the same '
                    || 'on other samples. '
                when 'continuous' then 'In part: slices of a continuum, useful but '
                    || 'without gaps. '
                when 'unstable' then 'No: other customers would give other segments. '
                else case when algorithm = 'rules' then 'Fixed by rules, not found in '
                    || 'the data. ' else 'Not known. ' end
            end || reason
        ) else 'Choose one segmentation.' end from dim_segmentations""",
    "Health Verdict": "select case when count(*) = 1 then max(what_to_do) "
    "else 'Choose one segmentation.' end from rpt_model_health",
    "Churn Verdict": """
        select case
            when max(verdict) like 'skill%' then 'Yes. '
            when max(verdict) like 'no sk%' then 'No. '
            else 'Not known. '
        end || coalesce(max(verdict), '') from rpt_churn_validation where is_chosen""",
    "Value Verdict": """
        select case left(max(verdict), 1)
            when 'A' then 'Yes, clearly better than past spend. '
            when 'B' then 'Yes, a little better than past spend. '
            when 'C' then 'No better than past spend. '
            else 'Not known. '
        end || coalesce(max(verdict), '') from rpt_value_validation
        where model = 'expected_value' and measure = 'grade'""",
    "Rows": "select sum(row_count) from rpt_data_quality",
    "Share of Rows Used": "select sum(row_count) filter (measure = 'used') "
    "/ sum(row_count) filter (measure = 'physical') from rpt_data_quality",
    "Self-Check Expected": "select any_value(expected_value) from rpt_self_check",
    # What only Power BI can tell is not drawn as if it had been told.
    "Self-Check Result": lambda figures, context: "...",
    "Self-Check Difference": lambda figures, context: "...",
    "Self-Check Verdict": lambda figures, context: (
        "Power BI shows it when it has refreshed: all figures must agree."
    ),
}
# Blank unless one segmentation is chosen, as in the model.
OF_ONE_SEGMENTATION = {
    "Customers Then", "Customer Moves", "Profile Index", "Silhouette", "Stability",
    "Inertia", "Feature Contribution",
}  # fmt: skip
# These alone make no row.
TEXTS = {"Segment Colour", "Self-Check Result", "Self-Check Difference"}
