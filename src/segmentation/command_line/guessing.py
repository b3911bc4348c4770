"""Which column of a file is what, how sure that is, and why."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from segmentation.command_line.columns import CURRENCY_SIGNS, Column, number_of
from segmentation.command_line.roles import NUMBERED_NAME, REQUIRED, ROLES
from segmentation.command_line.words import without_accents, words_of

SURE, LIKELY = 0.8, 0.6
ACCEPTED = {"required": 0.3, "optional": 0.6}
NEEDED = 0.5
LEAVE_OUT = ""  # in place of a header: the file has none
# Of the statuses of orders: what was not bought in the end.
NOT_BOUGHT = words_of(
    """cancelled canceled cancel void voided failed refunded refund returned
    expired draft pending declined abandoned rejected storniert storno
    abgebrochen fehlgeschlagen zuruckerstattet erstattet annule annulee
    rembourse remboursee echoue echouee cancelado cancelada reembolsado
    fallido annullato rimborsato geannuleerd"""
)
CONTRACT_NAMES = ("line_id", "line_type", "original_order_id", "loaded_at")


class Choice(NamedTuple):
    """A column for a role."""

    role: str
    column: Column
    score: float
    why: str
    rival: str = ""  # a header that was nearly as good

    @property
    def how_sure(self) -> str:
        """How sure it is, in words."""
        if self.why == "as you said":
            return "given"
        if self.score >= SURE and not self.rival:
            return "sure"
        return "likely" if self.score >= LIKELY else "a guess"


@dataclass
class Guess:
    """What a file is: `orders`, `customers` or `events`, and its columns by role."""

    kind: str
    columns: list[Column]
    choices: dict[str, Choice]
    attributes: dict[str, str] = field(default_factory=dict)  # header -> kind
    left_out: dict[str, str] = field(default_factory=dict)  # header -> why
    notes: list[str] = field(default_factory=list)
    is_one_row_an_order: bool = False

    def column(self, role: str) -> Column | None:
        """Return the column of a role, if there is one."""
        choice = self.choices.get(role)
        return choice.column if choice else None

    @property
    def missing(self) -> list[str]:
        """Roles without which nothing can be done."""
        missing = [role for role in REQUIRED[self.kind] if role not in self.choices]
        if self.kind == "orders" and not {"amount", "unit_price"} & self.choices.keys():
            missing.append("amount")
        return missing

    @property
    def currency(self) -> str | None:
        """The currency of the amounts, if the file says it."""
        own = self.column("currency")
        if own:
            code = own.counts.most_common(1)[0][0]
            return CURRENCY_SIGNS.get(code, code.upper())
        for role in ("unit_price", "amount", "unit_cost", "discount_amount"):
            column = self.column(role)
            if column and column.currency:
                return column.currency
        return None

    @property
    def key_is_personal(self) -> bool:
        """Whether customers are told apart by an address or a name."""
        key = self.column("customer_id")
        return key is not None and (
            key.email_share > 0.5
            or (key.phone_share > 0.9 and "phone" in key.words.all_concepts)
            or ("name" in key.words.all_concepts and key.whole_share < 0.5)
        )

    @property
    def statuses_not_bought(self) -> list[str]:
        """Of the statuses in the file, those of orders that came to nothing."""
        status = self.column("order_status")
        if not status:
            return []
        return sorted(
            text
            for text in status.counts
            if set(re.findall(r"[a-z]+", without_accents(text))) & NOT_BOUGHT
            and "partial" not in text.lower()
        )


def prepare(columns: list[Column], is_day_first: bool | None = None) -> list[Column]:
    """Settle what columns of one file have in common: the decimal mark.

    A column that shows its own keeps it; the others take the file's.
    """
    votes: Counter[str] = Counter()
    for column in columns:
        own = column.decimal_votes
        if own and column.share(lambda text: number_of(text, ".") is not None) > 0.5:
            votes[max(sorted(own), key=own.get)] += 1
    common = max(sorted(votes), key=votes.get) if votes else "."
    currencies = {column.currency for column in columns}
    for column in columns:
        own = column.decimal_votes
        column.decimal_mark = max(sorted(own), key=own.get) if own else common
        column.is_day_first = is_day_first
        column.prefers_month_first = "USD" in currencies
    return columns


def guess(
    columns: list[Column],
    kind: str | None = None,
    given: Mapping[str, str] | None = None,
) -> Guess:
    """Guess which column is what.

    Parameters
    ----------
    columns
        Those of one file, prepared.
    kind
        `orders`, `customers` or `events`; None: orders if it has them, else customers.
    given
        Role -> header as the user says; an empty header means that there is none.

    Raises
    ------
    KeyError
        With a header that the file does not have.

    """
    given = dict(given or {})
    if kind is None:
        as_orders = _guess(columns, "orders", given)
        kind = "orders" if _has_orders(as_orders, given) else "customers"
        if kind == "orders":
            return as_orders
    return _guess(columns, kind, given)


def _has_orders(found: Guess, given: Mapping[str, str]) -> bool:
    if {"order_id", "ordered_at", "amount", "unit_price"} & {
        role for role, header in given.items() if header
    }:
        return True
    date, key = found.choices.get("ordered_at"), found.column("customer_id")
    order = found.choices.get("order_id")
    if (
        order
        and order.score >= LIKELY
        and date
        and {"amount", "unit_price"} & set(found.choices)
    ):
        return True  # though no customer may be found
    if found.missing:
        return False
    # one row a customer, with a date of something: no orders
    if key.distinct_share > 0.98:
        return False
    return date.score >= LIKELY or key.rows_each > 1.2


def _guess(columns: list[Column], kind: str, given: Mapping[str, str]) -> Guess:
    by_header = {column.header: column for column in columns}
    folded = {_fold(column.header): column for column in reversed(columns)}
    fixed: dict[str, Choice] = {}
    for name, header in given.items():
        if header == LEAVE_OUT or name not in {role.name for role in ROLES[kind]}:
            continue
        column = by_header.get(header) or folded.get(_fold(header))
        if column is None:
            raise KeyError(header)
        fixed[name] = Choice(name, column, 1.0, "as you said")
    free = [
        column
        for column in columns
        if column.filled and column not in [choice.column for choice in fixed.values()]
    ]
    roles = [role for role in ROLES[kind] if role.name not in given]
    found = Guess(kind, columns, fixed | _assign(roles, free, kind))
    if kind == "orders":
        _take_contract_names(found)
        if "order_id" not in found.choices and "order_id" not in given:
            _take_numbered_name(found)
        _fall_back(found, given)
        _settle_orders(found, given)
    if kind == "customers":
        _settle_customer_key(found, given)
        _choose_attributes(found)
    for column in columns:
        used = {choice.column.header for choice in found.choices.values()}
        if column.header not in used | found.attributes.keys() | found.left_out.keys():
            found.left_out[column.header] = "" if column.filled else "empty"
    return found


def _assign(roles, columns: list[Column], kind: str) -> dict[str, Choice]:
    """Give each role the column that fits, each column to one role, best in all."""
    if not roles or not columns:
        return {}
    scores = np.zeros((len(roles), len(columns)))
    seen = {}
    for i, role in enumerate(roles):
        for j, column in enumerate(columns):
            scores[i, j], seen[i, j] = role.score(column)
            is_required = role.name in REQUIRED[kind]
            if scores[i, j] < ACCEPTED["required" if is_required else "optional"]:
                scores[i, j] = 0.0
            elif is_required:
                scores[i, j] += NEEDED  # what is needed comes first
    chosen = {}
    for i, j in zip(*linear_sum_assignment(-scores), strict=True):
        if not scores[i, j]:
            continue
        rivals = [
            other
            for other in range(len(columns))
            if other != j and scores[i, other] > scores[i, j] - 0.05
        ]
        chosen[roles[i].name] = Choice(
            roles[i].name, columns[j],
            scores[i, j] - NEEDED * (roles[i].name in REQUIRED[kind]),
            _why(columns[j], seen[i, j]),
            columns[rivals[0]].header if rivals else "",
        )  # fmt: skip
    return chosen


def _why(column: Column, seen: str) -> str:
    concepts = [
        sorted(each)[0] if len(each) == 1 else word
        for word, each in zip(column.words.words, column.words.concepts, strict=True)
        if each
    ]
    said = " + ".join(dict.fromkeys(concepts))
    return "; ".join(part for part in (said, seen) if part)


def _take_contract_names(found: Guess) -> None:
    """Columns that only a file in the contract's own terms has."""
    used = [choice.column for choice in found.choices.values()]
    for column in found.columns:
        name = column.header.lower()
        if name in CONTRACT_NAMES and column.filled and column not in used:
            found.choices[name] = Choice(name, column, 1.0, "the contract's own name")


def _take_numbered_name(found: Guess) -> None:
    for column in found.columns:
        score, seen = NUMBERED_NAME.score(column)
        if score:
            for role, choice in list(found.choices.items()):
                if choice.column is column:
                    del found.choices[role]
            found.choices["order_id"] = Choice("order_id", column, score, seen)
            return


def _fall_back(found: Guess, given: Mapping[str, str]) -> None:
    """What no header says the values may: the only dates, the only money."""
    used = [choice.column for choice in found.choices.values()]
    free = [column for column in found.columns if column.filled and column not in used]
    if "ordered_at" not in found.choices and "ordered_at" not in given:
        dates = [
            column
            for column in free
            if column.dates.share > 0.9
            and not {"birth", "signup", "update"} & column.words.all_concepts
        ]
        if len(dates) == 1:
            found.choices["ordered_at"] = Choice(
                "ordered_at", dates[0], 0.5, "the only column of dates"
            )
            free.remove(dates[0])
    if not {"amount", "unit_price"} & found.choices.keys() and "amount" not in given:
        money = [
            column
            for column in free
            if column.number_share > 0.95 and column.has_fractions
            and not column.words.all_concepts & {"tax", "shipping", "size", "age"}
        ]  # fmt: skip
        if len(money) == 1:
            found.choices["amount"] = Choice(
                "amount", money[0], 0.45, "the only column of amounts"
            )
            free.remove(money[0])
    if "order_id" not in found.choices and "order_id" not in given:
        numbers = [
            column
            for column in free
            if "id" in column.words.all_concepts
            and column.distinct_share > 0.98
            and not column.has_fractions
        ]
        if len(numbers) == 1:
            found.choices["order_id"] = Choice(
                "order_id", numbers[0], 0.5, "a number, each only once"
            )
            free.remove(numbers[0])
    if "customer_id" not in found.choices and "customer_id" not in given:
        for role, score in (("email", 0.7), ("phone", 0.5), ("customer_name", 0.4)):
            if role in found.choices:
                known = found.choices[role]
                found.choices["customer_id"] = known._replace(
                    role="customer_id", score=score, why=f"{known.why}; no number"
                )
                return
        one_an_order = _one_each(found.column("order_id"), free)
        if len(one_an_order) == 1:
            found.choices["customer_id"] = Choice(
                "customer_id", one_an_order[0], 0.45,
                "comes again, and is one for each order",
            )  # fmt: skip
            return
        addresses = [column for column in free if column.email_share > 0.6]
        if len(addresses) == 1:
            found.choices["customer_id"] = Choice(
                "customer_id", addresses[0], 0.5, "the only e-mail addresses"
            )


def _one_each(order: Column | None, free: list[Column]) -> list[Column]:
    """Codes that come again, of which each order that has several rows has one."""
    if order is None or order.distinct_share > 0.9:
        return []
    return [
        column
        for column in free
        if column.distinct >= 0.05 * order.distinct
        and column.distinct < 0.9 * order.distinct
        and column.distinct > 20
        and column.dates.share < 0.5
        and not column.has_fractions
        and not column.words.all_concepts & {"product", "address", "city"}
        and len(set(zip(order.values, column.values, strict=True)))
        < 1.01 * order.distinct
    ]


# ---- orders -------------------------------------------------------------------------


def _settle_orders(found: Guess, given: Mapping[str, str]) -> None:
    """Choose between price times quantity and one amount a row."""
    choices = found.choices
    if "order_id" not in given:
        _prefer_repeated_orders(found)
    _tell_price_from_amount(found, given)
    order = found.column("order_id")
    found.is_one_row_an_order = bool(order) and order.distinct_share > 0.98
    if given.get("amount"):
        _drop(found, "unit_price", "the amount is used")
    has_price, has_quantity = "unit_price" in choices, "quantity" in choices
    if (
        "amount" in choices
        and has_price
        and (has_quantity or not found.is_one_row_an_order)
    ):
        _drop(found, "amount", "price and quantity are used")
    elif "amount" in choices and has_price:
        _drop(found, "unit_price", "the amount of the order is used")
    if "amount" in choices:
        if has_quantity and "quantity" not in given:
            _drop(found, "quantity", "the amount is that of all pieces")
        for role in ("discount_amount", "unit_cost"):
            if role in choices and role not in given:
                _drop(found, role, "the amount is taken as what was paid")
        _note_repeated_totals(found)
    _check_discount(found, given)
    if "order_status" in choices and not found.statuses_not_bought:
        _drop(found, "order_status", "no order in it was cancelled")
    _note_unused_counts(found)
    if order is None:
        found.notes.append(
            "No column of orders: what a customer bought at one time is one order."
        )
    if "email" not in choices and found.key_is_personal:
        key = choices["customer_id"]
        if key.column.email_share > 0.5:
            choices["email"] = Choice("email", key.column, key.score, key.why)
    currency = found.column("currency")
    codes = sorted(
        {CURRENCY_SIGNS.get(text, text.upper()) for text in currency.counts}
        if currency
        else ()
    )
    if len(codes) > 1:
        found.notes.append(
            f"Several currencies ({', '.join(codes[:5])}): rows in "
            f"another than {found.currency} are left out without exchange_rates."
        )


def _prefer_repeated_orders(found: Guess) -> None:
    """Of two numbers, that of the order is on more rows, all of one customer."""
    (role,) = (role for role in ROLES["orders"] if role.name == "order_id")
    choice = found.choices.get("order_id")
    key = found.column("customer_id")
    used = [other.column for other in found.choices.values()]
    if choice is None or key is None:
        return
    for column in found.columns:
        score, seen = role.score(column)
        if (
            column not in used
            and score > 0.9
            and column.distinct < 0.98 * choice.column.distinct
            and len(set(zip(column.values, key.values, strict=True)))
            < 1.01 * column.distinct
        ):
            found.choices["order_id"] = Choice("order_id", column, score, seen)
            return


def _tell_price_from_amount(found: Guess, given: Mapping[str, str]) -> None:
    """Money that grows with the quantity is a row's amount, else a piece's price."""
    names = [name for name in ("unit_price", "amount") if name in found.choices]
    if (
        len(names) != 1
        or names[0] in given
        or not {"amount", "unit_price"} - given.keys()
    ):
        return
    growth = _growth_with_quantity(found, found.choices[names[0]].column)
    is_price = names[0] == "unit_price"
    if growth is None or (growth < 1.25) == is_price or 1.25 <= growth <= 1.6:
        return
    choice = found.choices.pop(names[0])
    name = "amount" if is_price else "unit_price"
    seen = "grows with the quantity" if is_price else "the same for any quantity"
    found.choices[name] = choice._replace(
        role=name, score=min(choice.score, 0.75), why=f"{choice.why}; {seen}"
    )


def _growth_with_quantity(found: Guess, money: Column) -> float | None:
    """How much more of a product's money there is where the quantity is double.

    The median over products of money at quantities of 2 or more, divided by that at 1
    and scaled to 2 pieces; 1 for a price, 2 for an amount. None if it cannot be told.
    """
    product, quantity = found.column("product_id"), found.column("quantity")
    if product is None or quantity is None:
        return None
    single: dict[str, list[float]] = {}
    several: dict[str, list[float]] = {}
    rows = zip(product.values, quantity.values, money.values, strict=True)
    for name, count_text, money_text in rows:
        count = number_of(count_text, quantity.decimal_mark)
        value = number_of(money_text, money.decimal_mark)
        if count and value and value > 0 and count >= 1:
            if count == 1:
                single.setdefault(name, []).append(value)
            elif count >= 2:
                # as if two were bought, were it an amount
                several.setdefault(name, []).append((value, count))
    growths = []
    for name in single.keys() & several.keys():
        one = float(np.median(single[name]))
        ratios = [np.log(value / one) / np.log(count) for value, count in several[name]]
        growths.append(2 ** float(np.median(ratios)))
    return float(np.median(growths)) if len(growths) >= 3 else None


def _drop(found: Guess, role: str, why: str) -> None:
    choice = found.choices.pop(role, None)
    if choice:
        found.left_out[choice.column.header] = why


def _note_repeated_totals(found: Guess) -> None:
    order, amount = found.column("order_id"), found.column("amount")
    if order is None or found.is_one_row_an_order:
        return
    totals: dict[str, set[str]] = {}
    for key, value in zip(order.values, amount.values, strict=True):
        totals.setdefault(key, set()).add(value)
    if all(len(each) == 1 for each in totals.values()):
        found.notes.append(
            f"{amount.header} is the same on all rows of an order: if it is the total "
            "of the order, it counts several times. Name the price of a row instead."
        )


def _note_unused_counts(found: Guess) -> None:
    """A missed quantity is money missed, and cannot be seen from the figures."""
    if (
        "quantity" in found.choices
        or not {"unit_price", "amount"} & found.choices.keys()
    ):
        return
    used = [choice.column for choice in found.choices.values()]
    for column in found.columns:
        is_small_count = (
            column not in used
            and column.header not in found.left_out
            and column.whole_share > 0.99
            and 2 <= column.distinct <= 100
            and sorted(column.numbers)[column.distinct // 2] <= 20
            and column.boolean_share < 0.9
        )
        if is_small_count:
            found.notes.append(
                f"{column.header} has small whole numbers and is not used. If it is "
                f"how many were bought: --map 'quantity={column.header}'."
            )


def _check_discount(found: Guess, given: Mapping[str, str]) -> None:
    """A discount is money off a row: never more than the row's amount, no rate."""
    discount, price = found.column("discount_amount"), found.column("unit_price")
    if discount is None or price is None or "discount_amount" in given:
        return
    quantity = found.column("quantity")
    if discount.numbers and max(discount.numbers) <= 1 and discount.has_fractions:
        _drop(found, "discount_amount", "shares, no amounts")
        return
    pieces = quantity.values if quantity else ["1"] * price.row_count
    checked = above = 0
    for off, each, count in zip(discount.values, price.values, pieces, strict=True):
        numbers = [
            number_of(off, discount.decimal_mark),
            number_of(each, price.decimal_mark),
            number_of(count, quantity.decimal_mark if quantity else "."),
        ]
        if None not in numbers and numbers[0]:
            checked += 1
            above += not 0 < numbers[0] <= abs(numbers[1] * numbers[2]) + 0.00005
    if checked and above > 0.02 * checked:
        _drop(
            found, "discount_amount",
            f"above the row's amount, or below 0, in {above:,} of {checked:,} rows",
        )  # fmt: skip


# ---- customers ----------------------------------------------------------------------


def _settle_customer_key(found: Guess, given: Mapping[str, str]) -> None:
    """One row a customer: the key has each value once."""
    choice = found.choices.get("customer_id")
    if "customer_id" in given:
        return
    if choice and choice.column.distinct_share > 0.9:
        return
    used = [other.column for other in found.choices.values()]
    unique = [
        column
        for column in found.columns
        if column.distinct_share > 0.999
        and column.filled_share > 0.99
        and not column.has_fractions
        and column.dates.share < 0.5
        and (
            column not in used
            or column in (found.column("email"), found.column("phone"))
        )
    ]
    if choice:
        del found.choices["customer_id"]
    if unique and (unique[0].position == 0 or len(unique) == 1):
        found.choices["customer_id"] = Choice(
            "customer_id", unique[0], 0.5, "the first column where each value is once"
        )
    elif choice:
        found.choices["customer_id"] = choice._replace(
            score=0.4, why=f"{choice.why}, though some come again"
        )


def _choose_attributes(found: Guess) -> None:
    """Every other column that says something about customers."""
    used = [choice.column for choice in found.choices.values()]
    for column in found.columns:
        if column in used:
            continue
        why_not = _no_attribute(column)
        if why_not:
            found.left_out[column.header] = why_not
        elif column.number_share > 0.95 and (
            column.distinct > 2 or column.has_fractions
        ):
            found.attributes[column.header] = "numeric"
        else:
            found.attributes[column.header] = "categorical"


def _no_attribute(column: Column) -> str:
    concepts = column.words.all_concepts
    if not column.filled:
        return "empty"
    if column.distinct == 1:
        return "always the same"
    if column.filled_share < 0.5:
        return f"empty in {1 - column.filled_share:.0%} of the rows"
    if column.email_share > 0.5 or ("phone" in concepts and column.phone_share > 0.3):
        return "personal"
    if column.distinct > 30 and concepts & {"address", "name"}:
        return "an address or a name"
    if column.dates.share > 0.9 and column.whole_share < 0.9:
        return "dates"
    is_number = column.number_share > 0.95
    if "id" in concepts and column.distinct_share > 0.9:
        return "a number of something"
    if is_number and column.distinct_share > 0.999 and _is_running_number(column):
        return "a running number"
    if not is_number and column.distinct > max(30, 0.05 * column.filled):
        return f"{column.distinct:,} different texts"
    if not is_number and column.distinct > 50:
        return f"{column.distinct:,} different texts"
    return ""


def _is_running_number(column: Column) -> bool:
    numbers = [number_of(text, ".") for text in column.values[:1000] if text]
    steps = {b - a for a, b in pairwise(numbers) if None not in (a, b)}
    return steps == {1.0}


def segmentation_features(
    found: Guess, wanted: list[str] | None = None
) -> dict[str, str]:
    """Header -> transform of what an attribute input's segmentation is made of.

    Numbers of more than ten values, since yes and no and few grades describe segments
    better than they make them; the others where there are fewer than two of those.
    """
    numeric = {
        column.header: column
        for column in found.columns
        if found.attributes.get(column.header) == "numeric"
    }
    if wanted:
        return {
            header: _transform(numeric[header]) if header in numeric else ""
            for header in wanted
        }
    rich = [
        header
        for header, column in numeric.items()
        if column.distinct > 10
        and column.filled_share > 0.7
        and not column.words.all_concepts & {"age", "birth"}
    ]
    if len(rich) < 2:
        rich = list(numeric)
    chosen = {header: _transform(numeric[header]) for header in rich[:8]}
    if len(chosen) < 2:
        chosen |= {h: "" for h, k in found.attributes.items() if k == "categorical"}
    return chosen


def _transform(column: Column) -> str:
    """log1p where a few large values would be all that is seen."""
    values = np.array(column.numbers, dtype=float)
    if len(values) < 20 or values.min() < 0 or values.std() == 0:
        return ""
    skewness = float(np.mean(((values - values.mean()) / values.std()) ** 3))
    return "log1p" if skewness > 2 else ""


def _fold(header: str) -> str:
    return re.sub(r"[\W_]", "", header.lower())
