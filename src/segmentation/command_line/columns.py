"""What the values of a column are: numbers, dates, addresses, codes."""

import re
from collections import Counter
from functools import cached_property

from segmentation.command_line.dates import Dates, read_dates
from segmentation.command_line.words import Header, read_header, words_of

LOOKED_AT = 4000  # different values of a column that are looked at one by one

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+$")
PHONE = re.compile(r"[+(]?\d[\d\s()/.-]{6,}$")
WHOLE = re.compile(r"[-\u2212]?\d+(?:[.,]0+)?$")
CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
CURRENCIES = words_of(
    """EUR USD GBP CHF JPY CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN TRY BRL
    MXN ARS CLP COP PEN INR CNY HKD SGD KRW THB IDR MYR PHP VND ZAR EGP NGN
    KES AED SAR ILS RUB UAH"""
)
UNIT = r"(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|CAD|AUD|kr\.?|Fr\.?|Rs\.?|[$€£¥%])?"
NUMBER = re.compile(
    rf"[(]?[-\u2212]?\s*{UNIT}\s*[-\u2212]?\s*"
    r"(?P<digits>\d{1,3}(?:[.,' \u00a0\u202f\u2019]\d{3})*(?:[.,]\d+)?"
    r"|\d+(?:[.,]\d*)?|[.,]\d+)"
    rf"\s*{UNIT}[-\u2212]?[)]?$"
)
SCIENTIFIC = re.compile(r"[-\u2212]?\d+(?:\.\d+)?[eE][-+]?\d+$")
BOOLEANS = words_of(
    """true false yes no y n t f 0 1 0.0 1.0 ja nein j oui non o si sí s x on
    off wahr falsch vrai faux verdadero falso subscribed unsubscribed"""
)


def decimal_votes(texts) -> Counter:
    """Count how many texts can only have a decimal point, or a decimal comma."""
    votes: Counter[str] = Counter()
    for text in texts:
        found = NUMBER.match(text)
        digits = found["digits"] if found else ""
        point, comma = digits.rfind("."), digits.rfind(",")
        if point >= 0 and comma >= 0:
            votes["." if point > comma else ","] += 1
        elif max(point, comma) >= 0:
            mark = "." if point >= 0 else ","
            head, _, tail = digits.rpartition(mark)
            if digits.count(mark) > 1:
                votes["," if mark == "." else "."] += 1
            elif len(tail) != 3 or len(head) > 3 or head in ("", "0"):
                votes[mark] += 1
    return votes


def number_of(text: str, decimal_mark: str) -> float | None:
    """Return the number that a text is; None if it is none."""
    if SCIENTIFIC.match(text):
        return float(text.replace("\u2212", "-"))
    found = NUMBER.match(text)
    if not found:
        return None
    digits = "".join(c for c in found["digits"] if c.isdigit() or c == decimal_mark)
    is_negative = any(sign in text for sign in "-\u2212(")
    try:
        value = float(digits.replace(decimal_mark, "."))
    except ValueError:
        return None
    return -value if is_negative else value


class Column:
    """One column of a file: its header, and its values with how often they occur.

    Parameters
    ----------
    header
        As the file has it.
    position
        From 0.
    values
        Its texts in the order of the rows; an empty one is none.

    """

    def __init__(self, header: str, position: int, values: list[str]):
        """Count the values."""
        self.header = header
        self.position = position
        self.row_count = len(values)
        self.values = values
        self.counts = Counter(values)
        self.counts.pop("", None)
        self.decimal_mark = "."
        self.is_day_first: bool | None = None  # as the user says
        self.prefers_month_first = False

    def __repr__(self) -> str:
        """Be short in messages of tests."""
        return f"Column({self.header!r})"

    @cached_property
    def words(self) -> Header:
        """The words of the header."""
        return read_header(self.header)

    @cached_property
    def filled(self) -> int:
        """Rows with a value."""
        return sum(self.counts.values())

    @property
    def distinct(self) -> int:
        """Different values."""
        return len(self.counts)

    @property
    def filled_share(self) -> float:
        """Share of the rows with a value."""
        return self.filled / self.row_count if self.row_count else 0.0

    @property
    def distinct_share(self) -> float:
        """Different values per row with one; 1 if each is there once."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def rows_each(self) -> float:
        """Rows for each different value."""
        return self.filled / self.distinct if self.distinct else 0.0

    @cached_property
    def looked_at(self) -> dict[str, int]:
        """Some of the values, evenly from all, the same for equal files."""
        if self.distinct <= LOOKED_AT:
            return dict(self.counts)
        step = self.distinct / LOOKED_AT
        values = sorted(self.counts)
        chosen = [values[int(number * step)] for number in range(LOOKED_AT)]
        return {value: self.counts[value] for value in chosen}

    def share(self, is_one) -> float:
        """Return the share of the rows with a value that is one."""
        total = sum(self.looked_at.values())
        if not total:
            return 0.0
        return sum(n for text, n in self.looked_at.items() if is_one(text)) / total

    @cached_property
    def decimal_votes(self) -> Counter:
        """See the function of that name."""
        return decimal_votes(self.looked_at)

    @cached_property
    def number_share(self) -> float:
        """Share of the values that are numbers, in any writing."""
        return self.share(lambda text: number_of(text, self.decimal_mark) is not None)

    @cached_property
    def whole_share(self) -> float:
        """Of numbers written without other signs."""
        return self.share(WHOLE.match)

    @cached_property
    def numbers(self) -> list[float]:
        """Of the values looked at, those that are numbers, each once."""
        found = (number_of(text, self.decimal_mark) for text in self.looked_at)
        return [number for number in found if number is not None]

    @cached_property
    def has_fractions(self) -> bool:
        """Whether a number is not whole."""
        return any(number % 1 for number in self.numbers)

    @cached_property
    def must_be_rewritten(self) -> bool:
        """Whether a plain cast would not read the numbers as they are meant."""
        plain = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?$")
        return self.share(
            lambda text: (
                number_of(text, self.decimal_mark) is not None and not plain.match(text)
            )
        ) > 0 or (self.decimal_mark == "," and self.share(lambda t: "." in t) > 0)

    @cached_property
    def dates(self) -> Dates:
        """How its dates are to be read."""
        # evidence of the order of day and month is rare: all values are asked, once
        # the column is known to have dates
        first = read_dates(self.looked_at)
        if first.share < 0.5:
            return first
        return read_dates(
            self.counts,
            self.values[:50_000],
            self.is_day_first,
            self.prefers_month_first,
        )

    @cached_property
    def email_share(self) -> float:
        """Share of e-mail addresses."""
        return self.share(EMAIL.match)

    @cached_property
    def phone_share(self) -> float:
        """Share of telephone numbers."""
        return self.share(
            lambda text: PHONE.match(text) and sum(c.isdigit() for c in text) >= 7
        )

    @cached_property
    def boolean_share(self) -> float:
        """Share of words for yes and no."""
        return self.share(lambda text: text.lower() in BOOLEANS)

    @cached_property
    def currency_share(self) -> float:
        """Share of codes and signs of currencies."""
        return self.share(
            lambda text: text.upper() in CURRENCIES or text in CURRENCY_SIGNS
        )

    @cached_property
    def currency(self) -> str | None:
        """The currency that the values or the header are written in."""
        signs: Counter[str] = Counter()
        for text, count in self.looked_at.items():
            for sign, code in CURRENCY_SIGNS.items():
                signs[code] += count * (sign in text)
            for code in re.findall(r"\b[A-Z]{3}\b", text):
                signs[code] += count * (code in CURRENCIES)
        if self.number_share > 0.5 and signs and max(signs.values()):
            return max(sorted(signs), key=signs.get)
        for sign, code in CURRENCY_SIGNS.items():
            if sign in self.header:
                return code
        for code in re.findall(r"[A-Z]{3}", self.header.upper()):
            if code in CURRENCIES and re.search(rf"\b{code}\b", self.header.upper()):
                return code
        return None

    @cached_property
    def mean_length(self) -> float:
        """Letters of a value, on average."""
        total = sum(self.looked_at.values())
        return sum(len(t) * n for t, n in self.looked_at.items()) / max(total, 1)

    def examples(self, count: int = 3) -> list[str]:
        """Return the first different values, as the file has them."""
        found: dict[str, None] = {}
        for value in self.values:
            if value:
                found[value] = None
            if len(found) == count:
                break
        return list(found)
