"""The columns of the input contract: what their headers say, what their values are.

A role scores a column from 0 to 1: what the header's words mean, less for every word
that means something else, times how well the values fit. Nothing here chooses; see
guessing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from segmentation.command_line.columns import Column
from segmentation.command_line.words import Header

FOREIGN = 0.3  # off for a word that means something else
UNKNOWN = 0.05  # off for a word of no known meaning, for three at most


class Fit(NamedTuple):
    """How well values fit: a factor from 0 to 1, and what was seen."""

    factor: float
    seen: str = ""


@dataclass(frozen=True)
class Role:
    """A column of the contract, or one that the contract's are made from."""

    name: str
    patterns: tuple[tuple[frozenset[str], float], ...]
    also: frozenset[str]  # concepts that a header may have besides
    fit: Callable[[Column], Fit]

    def header_score(self, header: Header) -> float:
        """Score what the header says, 0 if nothing of this role."""
        return max(
            (
                self._pattern_score(header, needed, base)
                for needed, base in self.patterns
            ),
            default=0.0,
        )

    def _pattern_score(self, header: Header, needed: frozenset, base: float) -> float:
        if not needed <= header.all_concepts:
            return 0.0
        if sum(bool(each & needed) for each in header.concepts) < len(needed):
            return 0.0  # a word is one thing
        allowed = needed | self.also
        foreign = sum(bool(each) and not each & allowed for each in header.concepts)
        unknown = sum(not each for each in header.concepts)
        return max(base - FOREIGN * foreign - UNKNOWN * min(unknown, 3), 0.0)

    def score(self, column: Column) -> tuple[float, str]:
        """Score the column as this role: header and values; and what was seen."""
        said = self.header_score(column.words)
        if not said or not column.filled:
            return 0.0, ""
        fit = self.fit(column)
        return said * fit.factor, fit.seen


def role(name: str, fit, also: str = "", /, **patterns: float) -> Role:
    """Write a role down: customer__id=1.0 needs the concepts customer and id."""
    return Role(
        name,
        tuple(
            (frozenset(concepts.split("__")), base)
            for concepts, base in patterns.items()
        ),
        frozenset(also.split()),
        fit,
    )


# ---- values -------------------------------------------------------------------------


def _of_code(column: Column) -> Fit:
    """A code of things that come again: no date, no fraction, more than a few."""
    if column.distinct < 2:
        return Fit(0.0)
    if column.dates.share > 0.9 and column.whole_share < 0.9:
        return Fit(0.0)
    if column.number_share > 0.9 and column.has_fractions:
        return Fit(0.1)
    if (
        column.distinct < 5 < 50 < column.filled
        or column.distinct < 12 < 200 < column.filled
    ):
        return Fit(0.2)
    return Fit(1.0)


def fits_customer(column: Column) -> Fit:
    """A code of customers: many different, which come again."""
    fit = _of_code(column)
    seen = f"{column.distinct:,}, {column.rows_each:.1f} rows each"
    factor = fit.factor * (0.5 if column.filled_share < 0.2 else 1.0)
    concepts = column.words.all_concepts
    is_name = "name" in concepts and _digits_share(column) < 0.2
    if "id" not in concepts and (is_name or _are_names(column)):
        factor *= 0.3  # two may have one name: anything else is better
    if not concepts & {"customer", "email", "phone", "name"}:
        # a number of something unknown: of customers if they come again
        factor *= float(column.distinct > 20 and 1.2 < column.rows_each < 1000)
    return Fit(factor, seen)


def _digits_share(column: Column) -> float:
    return column.share(lambda text: any(c.isdigit() for c in text))


def _are_names(column: Column) -> bool:
    """Words with blanks between and no digits."""
    are_words = column.share(
        lambda text: " " in text and not any(c.isdigit() or c == "@" for c in text)
    )
    return are_words > 0.8


def fits_order(column: Column) -> Fit:
    """A code of orders: many different ones."""
    fit = _of_code(column)
    if column.filled_share < 0.5:
        fit = Fit(fit.factor * 0.5)
    if column.filled > 200 and column.distinct < 20:
        fit = Fit(fit.factor * 0.3)
    return Fit(fit.factor, f"{column.distinct:,} different")


def fits_numbered_name(column: Column) -> Fit:
    """#1001, #1002: what some shop systems call the name of an order."""
    if column.share(lambda text: text[0] == "#" and text[1:].isalnum()) > 0.9:
        return Fit(1.0, "values like #1001")
    return Fit(0.0)


def fits_date(column: Column) -> Fit:
    """Dates in any writing."""
    dates = column.dates
    if dates.share < 0.5:
        return Fit(0.0)
    return Fit(min(1.0, dates.share + 0.05), f"{dates.share:.0%} are dates")


def fits_number(column: Column) -> Fit:
    """Numbers in any writing."""
    if column.number_share < 0.7 or column.email_share or column.dates.formats:
        return Fit(0.0)
    return Fit(
        min(1.0, column.number_share + 0.05), f"{column.number_share:.0%} are numbers"
    )


def fits_money(column: Column) -> Fit:
    """Numbers that are no percentages."""
    fit = fits_number(column)
    if column.share(lambda text: "%" in text) > 0.1:
        return Fit(0.0)
    return fit


def fits_quantity(column: Column) -> Fit:
    """Numbers, mostly whole and small."""
    fit = fits_number(column)
    if not fit.factor:
        return fit
    values = sorted(abs(number) for number in column.numbers)
    if values and values[len(values) // 2] > 10_000:
        return Fit(0.2)
    if column.has_fractions:
        return Fit(fit.factor * 0.7, "with fractions")
    return Fit(fit.factor, "whole numbers")


def fits_product(column: Column) -> Fit:
    """Codes or names of more than one thing."""
    if column.dates.share > 0.9 or (column.number_share > 0.9 and column.has_fractions):
        return Fit(0.0)
    if column.distinct < 2:
        return Fit(0.4, "always the same")
    return Fit(1.0, f"{column.distinct:,} different")


def fits_email(column: Column) -> Fit:
    """E-mail addresses."""
    return Fit(float(column.email_share > 0.6), "addresses")


def fits_phone(column: Column) -> Fit:
    """Telephone numbers."""
    return Fit(float(column.phone_share > 0.5), "telephone numbers")


def fits_name(column: Column) -> Fit:
    """Words without digits."""
    is_name = (
        _digits_share(column) < 0.2
        and column.email_share < 0.1
        and column.mean_length >= 3
    )
    return Fit(float(is_name), "words without digits")


def fits_words(column: Column) -> Fit:
    """Few levels, each of many rows."""
    if column.number_share > 0.9 or column.dates.share > 0.5:
        return Fit(0.0)
    is_few = column.distinct <= max(20, column.filled / 5)
    return Fit(1.0 if is_few else 0.3, f"{column.distinct:,} different")


def fits_country(column: Column) -> Fit:
    """Few levels, as many as there are countries at most."""
    fit = fits_words(column)
    return Fit(fit.factor if column.distinct <= 250 else 0.0, fit.seen)


def fits_gender(column: Column) -> Fit:
    """A few levels."""
    return Fit(float(2 <= column.distinct <= 8), "a few words")


def fits_age(column: Column) -> Fit:
    """Numbers that are ages of people."""
    plausible = [number for number in column.numbers if 5 <= number <= 115]
    share = len(plausible) / max(len(column.numbers), 1)
    return Fit(float(column.number_share > 0.8 and share > 0.8), "14 to 110 or so")


def fits_boolean(column: Column) -> Fit:
    """Words for yes and no."""
    return Fit(float(column.boolean_share > 0.9 and column.distinct <= 6), "yes or no")


def fits_currency(column: Column) -> Fit:
    """Codes and signs of currencies."""
    return Fit(float(column.currency_share > 0.9), "codes of currencies")


def fits_unique(column: Column) -> Fit:
    """Each value only once."""
    return Fit(float(column.distinct_share > 0.999), "each only once")


# ---- roles --------------------------------------------------------------------------

CUSTOMER_ID = role(
    "customer_id", fits_customer, "email name phone order",
    customer__id=1.0, customer=0.8, customer__email=0.6, email=0.55, phone=0.3,
    customer__name=0.4, name=0.3, id=0.45,
)  # fmt: skip
EMAIL = role("email", fits_email, "customer order shipping id", email=1.0)
PHONE = role("phone", fits_phone, "customer order shipping id", phone=1.0)
NAME = role(
    "customer_name", fits_name, "order shipping",
    customer__name=1.0, name=0.7, customer=0.65,
)  # fmt: skip
GENDER = role("gender", fits_gender, "customer", gender=1.0)
AGE = role("age", fits_age, "customer", age=1.0)
BIRTH = role("birth_date", fits_date, "date customer", birth=1.0)
COUNTRY = role(
    "country", fits_country, "customer order shipping name id address", country=1.0
)
CITY = role("city", fits_words, "customer order shipping name address", city=1.0)
SIGNED_UP = role(
    "signed_up_at", fits_date, "customer date", signup=1.0
)  # fmt: skip
ACQUISITION = role(
    "acquisition_channel", fits_words, "channel customer",
    acquisition=0.9, acquisition__channel=1.0,
)  # fmt: skip
CONSENTS = [
    role(
        "consent_email", fits_boolean, "email customer", consent=0.7, consent__email=1.0
    ),
    role("consent_sms", fits_boolean, "phone customer", consent__sms=1.0),
    role("consent_post", fits_boolean, "address customer", consent__post=1.0),
    role("consent_phone", fits_boolean, "customer", consent__phone=1.0),
]  # fmt: skip
OF_CUSTOMERS = [
    NAME, EMAIL, PHONE, GENDER, AGE, BIRTH, COUNTRY, CITY, ACQUISITION, *CONSENTS,
]  # fmt: skip
ORDERS = [
    CUSTOMER_ID,
    role("order_id", fits_order, "", order__id=1.0, order=0.7, id=0.45),
    role("ordered_at", fits_date, "line date creation",
         order__date=1.0, date=0.85, creation=0.85, order__creation=1.0,
         payment__date=0.7),
    role("product_id", fits_product, "line quantity",
         product__id=1.0, product=0.85, product__name=0.8),
    role("quantity", fits_quantity, "order line amount", quantity=1.0,
         product__quantity=0.95),
    role("unit_price", fits_money, "order line amount quantity",
         unit__price=1.0, price=0.85, product__price=0.95, line__price=0.9,
         unit__amount=0.9),
    role("amount", fits_money, "payment line price",
         amount=0.9, order__amount=1.0, order__price=0.8, line__amount=0.95,
         product__amount=0.8, amount__part=0.75, price=0.6),
    role("discount_amount", fits_money, "line product order amount unit",
         discount=0.8, discount__amount=0.9, line__discount=0.95,
         product__discount=0.95),
    role("unit_cost", fits_money, "product line price amount part",
         unit__cost=1.0, cost=0.8),
    role("currency", fits_currency, "order amount id", currency=1.0),
    role("channel", fits_words, "order id name", channel=0.9),
    role("order_status", fits_words, "order payment shipping",
         order__status=1.0, status=0.85, payment__status=0.9),
    role("line_id", fits_unique, "order product", line__id=1.0),
    *OF_CUSTOMERS,
]  # fmt: skip
CUSTOMERS = [
    role("customer_id", fits_customer, "name email",
         customer__id=1.0, customer=0.75, id=0.85, email=0.5),
    role("signed_up_at", fits_date, "customer date signup",
         signup=1.0, creation=0.9, customer__date=0.6),
    *OF_CUSTOMERS,
]  # fmt: skip
EVENTS = [
    CUSTOMER_ID,
    role("event_at", fits_date, "event", event__date=1.0, date=0.9, creation=0.8),
    role("event_type", fits_words, "id name", event=1.0, event__name=0.9, name=0.5),
]
NUMBERED_NAME = role("order_id", fits_numbered_name, "order", name=0.95)
REQUIRED = {
    "orders": ["customer_id", "ordered_at"],
    "customers": ["customer_id"],
    "events": ["customer_id", "event_at", "event_type"],
}
ROLES = {"orders": [*ORDERS, SIGNED_UP], "customers": CUSTOMERS, "events": EVENTS}
