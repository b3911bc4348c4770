"""The part of DAX that the measures are written in, evaluated on frames.

No engine of DAX runs here, so this stands in for one. It follows the language's rules:
filter and row context, context transition, filters from the one side of a relationship
to the many side, CALCULATE's overriding and KEEPFILTERS' narrowing, BLANK in arithmetic
and comparison, the blank row of keys that find none. What it does not know is an error.

Dates are numbers (proleptic days), as in DAX; text is compared without regard to case.
"""

import copy
import datetime
import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?)
  | "(?P<text>[^"]*)"
  | '(?P<table>[^']+)'
  | \[(?P<bracket>[^\]]+)\]
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign>&&|\|\||<>|<=|>=|[-+*/^&=<>(),])
    )""",
    re.VERBOSE,
)
LEVELS = [
    ("||",),
    ("&&",),
    ("=", "<>", "<", "<=", ">", ">="),
    ("&",),
    ("+", "-"),
    ("*", "/"),
    ("^",),
]
Col = tuple[str, str]


# --- text to tree -----------------------------------------------------------------


class Call(NamedTuple):
    name: str
    arguments: list


class Binary(NamedTuple):
    sign: str
    left: Any
    right: Any


class Literal(NamedTuple):
    value: Any


class Column(NamedTuple):
    table: str
    name: str


class Bracket(NamedTuple):  # a measure, or a column that ADDCOLUMNS gave
    name: str


class Word(NamedTuple):  # a variable, a table, ASC or DESC
    name: str


class Block(NamedTuple):
    variables: list
    result: Any


class Parser:
    def __init__(self, text: str):
        self.tokens = []
        place = 0
        text = text.strip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if not match:
                raise SyntaxError(f"not DAX: {text[place : place + 40]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self.place = 0

    def parse(self):
        tree = self.expression()
        if self.place < len(self.tokens):
            raise SyntaxError(f"unexpected {self.peek()}")
        return tree

    def peek(self):
        ended = self.place >= len(self.tokens)
        return ("end", "") if ended else self.tokens[self.place]

    def take(self, *values: str) -> str | None:
        kind, value = self.peek()
        if kind in ("sign", "word") and value in values:
            self.place += 1
            return value
        return None

    def need(self, value: str) -> None:
        if not self.take(value):
            raise SyntaxError(f"expected {value}, found {self.peek()}")

    def expression(self):
        variables = []
        while self.take("VAR"):
            _, name = self.tokens[self.place]
            self.place += 1
            self.need("=")
            variables.append((name, self.expression()))
        if variables:
            self.need("RETURN")
            return Block(variables, self.expression())
        return self.binary(0)

    def binary(self, level: int):
        if level == len(LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while sign := self.take(*LEVELS[level]):
            tree = Binary(sign, tree, self.binary(level + 1))
        return tree

    def unary(self):
        if self.take("-"):
            return Binary("*", Literal(-1), self.unary())
        if self.take("NOT"):
            return Call("NOT", [self.unary()])
        return self.primary()

    def primary(self):
        kind, value = self.peek()
        self.place += 1
        following = self.peek()
        if kind == "number":
            return Literal(float(value) if "." in value else int(value))
        if kind == "text":
            return Literal(value)
        if kind == "bracket":
            return Bracket(value)
        if kind in ("table", "word") and following[0] == "bracket":
            self.place += 1
            return Column(value, following[1])
        if kind == "table":
            return Word(value)
        if kind == "word" and self.take("("):
            arguments = []
            while not self.take(")"):
                arguments.append(self.expression())
                if self.peek() != ("sign", ")"):
                    self.need(",")
            return Call(value, arguments)
        if kind == "word":
            return Word(value)
        if (kind, value) == ("sign", "("):
            tree = self.expression()
            self.need(")")
            return tree
        raise SyntaxError(f"unexpected {value!r}")


# --- data -------------------------------------------------------------------------


@dataclass
class Rows:
    """A table of an expression: columns with their lineage, and rows as tuples."""

    columns: tuple[Col, ...]
    rows: list[tuple]


class Filter(NamedTuple):
    columns: tuple[Col, ...]
    rows: frozenset


class Context(NamedTuple):
    filters: tuple[Filter, ...] = ()
    row: tuple[tuple[Col, Any], ...] = ()
    variables: tuple[tuple[str, Any], ...] = ()


def clean(value):
    """A value of a frame as DAX has it."""
    if (
        value is None
        or value is pd.NaT
        or (isinstance(value, float) and value != value)
    ):
        return None
    if isinstance(value, datetime.datetime):
        return value.toordinal()
    if isinstance(value, datetime.date):
        return value.toordinal()
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (bool, int, str)) else float(value)


class Data:
    """The model's tables, each with the columns of all that it has one row of."""

    def __init__(self, model, frames: dict[str, pd.DataFrame]):
        self.calendars = {table.name for table in model.tables if table.is_calendar}
        self.measures = {
            name: Parser(measure.dax).parse()
            for name, measure in model.measures.items()
        }
        self.own: dict[str, list[Col]] = {}
        self.one_side: dict[str, list] = {}
        plain: dict[str, dict[Col, np.ndarray]] = {}
        for name, frame in frames.items():
            self.own[name] = [(name, column) for column in frame.columns]
            plain[name] = {
                (name, column): np.array(
                    [clean(value) for value in frame[column]] + [None], dtype=object
                )[:-1]
                for column in frame.columns
            }
        for relationship in model.relationships:
            self.one_side.setdefault(relationship.from_table, []).append(relationship)
        self.has_blank_row: set[str] = set()
        self.tables: dict[str, dict[Col, np.ndarray]] = {}
        self._places: dict[tuple, dict] = {}
        self._masks: dict[tuple, np.ndarray] = {}
        for name in plain:
            self.tables[name] = self._expanded(name, plain)

    def _expanded(self, name: str, plain: dict) -> dict[Col, np.ndarray]:
        table = dict(plain[name])
        for link in self.one_side.get(name, []):
            one = self._expanded(link.to_table, plain)
            keys = one[link.to_table, link.to_column]
            places = {key: place for place, key in enumerate(keys)}
            if len(places) != len(keys):
                raise ValueError(f"{link.to_table}[{link.to_column}] is not unique")
            found = [
                places.get(key, -1) for key in table[link.from_table, link.from_column]
            ]
            if -1 in found:
                self.has_blank_row.add(link.to_table)
            for column, values in one.items():
                padded = np.append(values, None)  # -1 is the blank row
                table[column] = padded[np.array(found, dtype=int)]
        return table

    def size(self, table: str) -> int:
        return len(self.tables[table][self.own[table][0]])

    def visible(self, table: str, filters: tuple[Filter, ...]) -> np.ndarray:
        """Which rows of a table the filters leave."""
        columns = self.tables[table]
        mask = np.ones(self.size(table), dtype=bool)
        for given in filters:
            related = [column in columns for column in given.columns]
            if all(related):
                mask &= self._mask(table, given)
            elif any(related):
                raise NotImplementedError(
                    "a filter of columns that are not all related"
                )
        return mask

    def has_visible_blank_row(self, table: str, filters: tuple[Filter, ...]) -> bool:
        """Whether keys that find no row in the table are among what is filtered."""
        return table in self.has_blank_row and all(
            (None,) * len(given.columns) in given.rows
            for given in filters
            if given.columns[0] in self.tables[table]
        )

    def _mask(self, table: str, given: Filter) -> np.ndarray:
        if (table, given) in self._masks:
            return self._masks[table, given]
        key = (table, given.columns)
        if key not in self._places:
            parts = [self.tables[table][column] for column in given.columns]
            places: dict[tuple, list] = {}
            for place, row in enumerate(zip(*parts, strict=True)):
                places.setdefault(row, []).append(place)
            self._places[key] = places
        mask = np.zeros(self.size(table), dtype=bool)
        for row in given.rows:
            mask[self._places[key].get(row, [])] = True
        if len(given.rows) > 1:  # single rows are those of a row context, and many
            self._masks[table, given] = mask
        return mask


# --- evaluation -------------------------------------------------------------------


def number(value):
    return 0 if value is None else value


def compare(sign: str, left, right) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        left, right = (left or "").lower(), (right or "").lower()
    else:
        left, right = number(left), number(right)
    match sign:
        case "=":
            return left == right
        case "<>":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
    raise NotImplementedError(sign)


def arithmetic(sign: str, left, right):
    if sign == "&":
        return text_of(left) + text_of(right)
    if sign in "+-" and left is None and right is None:
        return None
    if sign == "*" and (left is None or right is None):
        return None
    left, right = number(left), number(right)
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "^":
            return left**right
    raise NotImplementedError(sign)


def text_of(value) -> str:
    return (
        ""
        if value is None
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def in_order(value) -> tuple:
    """What a value is sorted by: BLANK is before all others."""
    return value is not None, value.lower() if isinstance(value, str) else value


def edate(day: int, months: int) -> int:
    date = datetime.date.fromordinal(int(day))
    year, month = divmod(date.year * 12 + date.month - 1 + int(months), 12)
    following = datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - datetime.timedelta(days=1)).day
    return datetime.date(year, month + 1, min(date.day, last)).toordinal()


class Dax:
    """Evaluates the measures of a model on frames by the tables' business names."""

    def __init__(self, model, frames: dict[str, pd.DataFrame]):
        self.frames = frames
        self.data = Data(model, frames)

    def changed(self, name: str, dax: str) -> "Dax":
        """The same data with another expression of one measure."""
        changed = copy.copy(self)
        changed.data = copy.copy(self.data)
        changed.data.measures = self.data.measures | {name: Parser(dax).parse()}
        return changed

    def measure(self, name: str, filters: dict[Col, Any] | None = None):
        """A measure where columns are filtered, each by a value or a list of them."""
        given = tuple(
            Filter((column,), frozenset((v,) for v in self._values(values)))
            for column, values in (filters or {}).items()
        )
        return self.scalar(self.data.measures[name], Context(given))

    @staticmethod
    def _values(values):
        return (
            [clean(v) for v in values] if isinstance(values, list) else [clean(values)]
        )

    # scalars

    def scalar(self, tree, context: Context):
        match tree:
            case Literal(value):
                return value
            case Block():
                context = self._with_variables(tree, context)
                return self.scalar(tree.result, context)
            case Binary("&&", left, right):
                return bool(self.scalar(left, context)) and bool(
                    self.scalar(right, context)
                )
            case Binary("||", left, right):
                return bool(self.scalar(left, context)) or bool(
                    self.scalar(right, context)
                )
            case Binary(sign, left, right):
                left, right = self.scalar(left, context), self.scalar(right, context)
                is_comparison = sign in LEVELS[2]
                return (compare if is_comparison else arithmetic)(sign, left, right)
            case Column(table, name):
                return dict(context.row)[table, name]
            case Bracket(name) if name in self.data.measures:
                return self._transition(self.data.measures[name], context)
            case Bracket(name):
                return dict(context.row)["", name]
            case Word(name):
                return dict(context.variables)[name]
            case Call(name, arguments):
                function = getattr(self, f"f_{name.lower()}", None)
                if function is None:
                    raise NotImplementedError(f"{name} as a scalar")
                return function(context, *arguments)
        raise NotImplementedError(tree)

    def _with_variables(self, block: Block, context: Context) -> Context:
        for name, tree in block.variables:
            value = (
                self.table(tree, context)
                if self._is_table(tree)
                else self.scalar(tree, context)
            )
            context = context._replace(variables=(*context.variables, (name, value)))
        return context

    def _is_table(self, tree) -> bool:
        return (isinstance(tree, Call) and hasattr(self, f"t_{tree.name.lower()}")) or (
            isinstance(tree, Word) and tree.name in self.data.own
        )

    def _transition(self, tree, context: Context):
        """A measure: the row context becomes a filter, and variables end."""
        filters = self._transitioned(context)
        return self.scalar(tree, Context(filters))

    def _transitioned(self, context: Context) -> tuple[Filter, ...]:
        columns = [(column, value) for column, value in context.row if column[0]]
        if not columns:
            return context.filters
        names = tuple(column for column, _ in columns)
        filters = context.filters
        for table in {table for table, _ in names}:
            own = [c for c in columns if c[0][0] == table]
            given = Filter(
                tuple(c for c, _ in own), frozenset([tuple(value for _, value in own)])
            )
            filters = (*without(filters, set(given.columns)), given)
        return filters

    def f_calculate(self, context, expression, *arguments):
        return self.scalar(expression, self._calculated(context, arguments))

    def _calculated(self, context: Context, arguments) -> Context:
        filters = self._transitioned(context)
        narrowed, replaced, removed = [], [], []
        for argument in arguments:
            if isinstance(argument, Call) and argument.name == "REMOVEFILTERS":
                removed.append(self._columns(argument.arguments))
            elif isinstance(argument, Call) and argument.name == "KEEPFILTERS":
                narrowed.append(self._as_filter(argument.arguments[0], context))
            else:
                replaced.append(self._as_filter(argument, context))
        for columns in removed:
            filters = without(filters, columns) if columns is not None else ()
        for new in replaced:
            columns = set(new.columns)
            for table in self.data.calendars & {table for table, _ in columns}:
                columns |= set(self.data.own[table])
            filters = without(filters, columns)
        return Context((*filters, *replaced, *narrowed), (), context.variables)

    def _columns(self, arguments) -> set[Col] | None:
        """The columns that REMOVEFILTERS names; None for all."""
        if not arguments:
            return None
        found = set()
        for argument in arguments:
            if isinstance(argument, Word):
                found |= set(self.data.own[argument.name])
            else:
                found.add((argument.table, argument.name))
        return found

    def _as_filter(self, tree, context: Context) -> Filter:
        if self._is_table(tree):
            table = self.table(tree, context)
            return Filter(table.columns, frozenset(table.rows))
        columns = sorted(named_columns(tree))
        domain = self._all(columns)
        rows = [
            row
            for row in domain.rows
            if self.scalar(tree, context._replace(row=self._row(domain.columns, row)))
        ]
        return Filter(domain.columns, frozenset(rows))

    @staticmethod
    def _row(columns, row, outer=()):
        return (*outer, *zip(columns, row, strict=True))

    # tables

    def table(self, tree, context: Context) -> Rows:
        match tree:
            case Word(name) if name in dict(context.variables):
                return dict(context.variables)[name]
            case Word(name):
                columns = self.data.own[name]
                mask = self.data.visible(name, context.filters)
                values = [self.data.tables[name][column][mask] for column in columns]
                return Rows(tuple(columns), list(zip(*values, strict=True)))
            case Call(name, arguments):
                return getattr(self, f"t_{name.lower()}")(context, *arguments)
        raise NotImplementedError(tree)

    def _all(self, columns: list[Col]) -> Rows:
        (table,) = {table for table, _ in columns}
        values = [self.data.tables[table][column] for column in columns]
        rows = set(zip(*values, strict=True))
        if table in self.data.has_blank_row:
            rows.add((None,) * len(columns))
        return Rows(tuple(columns), sorted(rows, key=repr))

    def t_all(self, context, column):
        return self._all([(column.table, column.name)])

    def t_values(self, context, column):
        values = self._visible_values(column, context)
        return Rows(
            ((column.table, column.name),),
            [(v,) for v in sorted(set(values), key=repr)],
        )

    def _visible_values(self, column: Column, context: Context) -> np.ndarray:
        mask = self.data.visible(column.table, context.filters)
        values = self.data.tables[column.table][column.table, column.name][mask]
        blank = self.data.has_visible_blank_row(column.table, context.filters)
        return np.append(values, None) if blank else values

    def t_filter(self, context, table, condition):
        found = self.table(table, context)
        rows = [
            row
            for row in found.rows
            if self.scalar(
                condition,
                context._replace(row=self._row(found.columns, row, context.row)),
            )
        ]
        return Rows(found.columns, rows)

    def t_addcolumns(self, context, table, name, expression):
        found = self.table(table, context)
        rows = [
            (*row, self.scalar(expression, context._replace(row=r)))
            for row in found.rows
            for r in [self._row(found.columns, row, context.row)]
        ]
        return Rows((*found.columns, ("", name.value)), rows)

    def t_topn(self, context, count, table, *orders):
        found = self.table(table, context)
        limit = self.scalar(count, context)
        rows = list(found.rows)
        for by, direction in list(zip(orders[::2], orders[1::2], strict=True))[::-1]:
            rows.sort(
                key=lambda row, by=by: in_order(
                    self.scalar(
                        by,
                        context._replace(
                            row=self._row(found.columns, row, context.row)
                        ),
                    )
                ),
                reverse=direction.name == "DESC",
            )
        return Rows(found.columns, rows[: int(number(limit))])

    def t_treatas(self, context, table, column):
        found = self.table(table, context)
        return Rows(((column.table, column.name),), found.rows)

    def t_intersect(self, context, left, right):
        left, right = self.table(left, context), self.table(right, context)
        known = set(right.rows)
        return Rows(left.columns, [row for row in left.rows if row in known])

    def t_calculatetable(self, context, table, *arguments):
        return self.table(table, self._calculated(context, arguments))

    # functions

    def _known(self, column: Column, context):
        return [v for v in self._visible_values(column, context) if v is not None]

    def f_sum(self, context, column):
        values = self._known(column, context)
        return math.fsum(values) if values else None

    def f_average(self, context, column):
        values = self._known(column, context)
        return math.fsum(values) / len(values) if values else None

    def _extreme(self, function, context, first, second):
        if second is not None:
            return function(
                number(self.scalar(first, context)),
                number(self.scalar(second, context)),
            )
        values = self._known(first, context)
        return function(values) if values else None

    def f_min(self, context, first, second=None):
        return self._extreme(min, context, first, second)

    def f_max(self, context, first, second=None):
        return self._extreme(max, context, first, second)

    def f_countrows(self, context, table):
        return len(self.table(table, context).rows) or None

    def f_distinctcountnoblank(self, context, column):
        return len(set(self._known(column, context))) or None

    def f_sumx(self, context, table, expression):
        found = self.table(table, context)
        values = [
            self.scalar(
                expression,
                context._replace(row=self._row(found.columns, row, context.row)),
            )
            for row in found.rows
        ]
        known = [value for value in values if value is not None]
        return math.fsum(known) if known else None

    def f_divide(self, context, numerator, denominator):
        above, below = (
            self.scalar(numerator, context),
            self.scalar(denominator, context),
        )
        return above / below if above is not None and below else None

    def f_if(self, context, condition, yes, no=None):
        if self.scalar(condition, context):
            return self.scalar(yes, context)
        return None if no is None else self.scalar(no, context)

    def f_switch(self, context, expression, *cases):
        value = self.scalar(expression, context)
        for case, result in zip(cases[::2], cases[1::2], strict=False):
            if compare("=", value, self.scalar(case, context)):
                return self.scalar(result, context)
        return self.scalar(cases[-1], context) if len(cases) % 2 else None

    def f_not(self, context, expression):
        return not self.scalar(expression, context)

    def f_isblank(self, context, expression):
        return self.scalar(expression, context) is None

    def f_true(self, context):
        return True

    def f_false(self, context):
        return False

    def f_hasonevalue(self, context, column):
        return len(set(self._visible_values(column, context))) == 1

    def f_selectedvalue(self, context, column, otherwise=None):
        values = set(self._visible_values(column, context))
        if len(values) == 1:
            return values.pop()
        return None if otherwise is None else self.scalar(otherwise, context)

    def f_isfiltered(self, context, table):
        own = set(self.data.own[table.name])
        return any(own & set(given.columns) for given in context.filters)

    def f_left(self, context, expression, count):
        return text_of(self.scalar(expression, context))[: self.scalar(count, context)]

    def f_abs(self, context, expression):
        return abs(number(self.scalar(expression, context)))

    def f_roundup(self, context, expression, digits):
        return math.ceil(number(self.scalar(expression, context)))

    def _date(self, context, expression) -> datetime.date:
        return datetime.date.fromordinal(int(self.scalar(expression, context)))

    def f_day(self, context, expression):
        return self._date(context, expression).day

    def f_month(self, context, expression):
        return self._date(context, expression).month

    def f_year(self, context, expression):
        return self._date(context, expression).year

    def f_edate(self, context, day, months):
        return edate(self.scalar(day, context), self.scalar(months, context))


def without(filters: tuple[Filter, ...], columns: set[Col]) -> tuple[Filter, ...]:
    """The filters, none of them on the columns any more."""
    left = []
    for given in filters:
        kept = [i for i, column in enumerate(given.columns) if column not in columns]
        if len(kept) == len(given.columns):
            left.append(given)
        elif kept:
            rows = frozenset(tuple(row[i] for i in kept) for row in given.rows)
            left.append(Filter(tuple(given.columns[i] for i in kept), rows))
    return tuple(left)


def named_columns(tree) -> set[Col]:
    """The columns that a condition is about."""
    if isinstance(tree, Column):
        return {(tree.table, tree.name)}
    parts = (
        tree.arguments
        if isinstance(tree, Call)
        else [tree.left, tree.right]
        if isinstance(tree, Binary)
        else []
    )
    return set().union(*(named_columns(part) for part in parts))
