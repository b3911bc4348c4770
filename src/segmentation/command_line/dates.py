"""Which dates the texts of a column are: formats, and whether the day comes first.

All is decided by evidence over the whole column: a first number above 12 is a day, a
second number above 12 makes the first a month. Where both stay below 13 the order of
the rows may tell; else it is an assumption, and said to be one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from segmentation.command_line.words import words_of

TIME = (
    r"(?P<gap>[T ,]+)(?P<time>\d{1,2}:\d{2}(?P<seconds>:\d{2})?(?P<fraction>[.]\d+)?)"
)
CLOCK = r"(?P<half>[ ]?[AaPp][.]?[Mm][.]?)?"
ZONE = r"(?P<zone>[ ]*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
REST = f"(?:{TIME}{CLOCK}{ZONE})?$"
SHAPES = {
    "year first": re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){REST}"),
    "numbers": re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){REST}"),
    "day, month name": re.compile(
        rf"(\d{{1,2}})([-/. ]+)([A-Za-z]{{3,9}})([-/., ]+)(\d{{4}}|\d{{2}}){REST}"
    ),
    "month name, day": re.compile(
        rf"([A-Za-z]{{3,9}})([-/. ]+)(\d{{1,2}})(,?[-/ ]+)(\d{{4}}|\d{{2}}){REST}"
    ),
    "compact": re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"),
    "compact with time": re.compile(
        r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
        r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d$"
    ),
}
EPOCHS = {
    "epoch": (re.compile(r"1\d{9}(?:[.]\d+)?$"), 1),
    "epoch in ms": (re.compile(r"1\d{12}(?:[.]0+)?$"), 1000),
}
MONTHS = words_of(
    "jan feb mar apr may jun jul aug sep oct nov dec january february march april june "
    "july august september october november december"
)
# Rows in order of time under one reading have steps back at each new month under the
# other: about one in twelve.
ROWS_IN_ORDER, STEPS_BACK = 0.98, 0.03


class Dates(NamedTuple):
    """How a column's dates are to be read.

    `formats` are strptime's, the most frequent first, without ISO 8601, which needs
    none; `share` is of the texts that are dates at all.
    """

    share: float
    formats: tuple[str, ...] = ()
    is_day_first: bool | None = None  # None: no text leaves it open
    is_ambiguous: bool = False
    evidence: str = ""
    epoch_unit: int = 0  # 1 or 1000 where the column counts seconds since 1970

    @property
    def must_be_rewritten(self) -> bool:
        """Whether a cast to a time would take a text for another date."""
        return any(
            "%y" in each or ("%p" in each and each.startswith("%Y"))
            for each in self.formats
        )


def read_dates(
    counts: Mapping[str, int],
    in_order: Iterable[str] = (),
    is_day_first: bool | None = None,
    prefers_month_first: bool = False,
) -> Dates:
    """Find out how a column's dates are to be read.

    Parameters
    ----------
    counts
        Its texts, each with the number of rows that have it.
    in_order
        Texts of it as the rows have them, as evidence of last resort.
    is_day_first
        Given by the user, so not to be found out.
    prefers_month_first
        The assumption where nothing tells.

    """
    total = sum(counts.values())
    if not total:
        return Dates(0.0)
    for pattern, unit in EPOCHS.values():
        share = sum(n for text, n in counts.items() if pattern.match(text)) / total
        if share > 0.9:
            return Dates(share, epoch_unit=unit, evidence="seconds since 1970")
    matches = [
        (shape, found, count)
        for text, count in counts.items()
        for shape, found in [_shape(text)]
        if found
    ]
    share = sum(count for *_, count in matches) / total
    if share < 0.5:
        return Dates(share)
    order, is_ambiguous, evidence = _day_or_month_first(
        matches, in_order, prefers_month_first
    )
    if is_day_first is not None and order is not None:
        order, is_ambiguous, evidence = is_day_first, False, "as you said"
    formats: Counter[str] = Counter()
    for shape, found, count in matches:
        formats[_format(shape, found, order is not False)] += count
    del formats[""]
    # a format that two digits of a year fit must come before one of four
    ordered = sorted(formats, key=lambda each: ("%y" not in each, -formats[each], each))
    return Dates(share, tuple(ordered), order, is_ambiguous, evidence)


def _shape(text: str):
    for shape, pattern in SHAPES.items():
        found = pattern.match(text)
        if found and _is_possible(shape, found):
            return shape, found
    return "", None


def _is_possible(shape: str, found: re.Match) -> bool:
    if shape == "year first":
        return 1 <= int(found[3]) <= 12 and 1 <= int(found[4]) <= 31
    if shape == "numbers":
        first, second = sorted((int(found[1]), int(found[3])))
        if found["zone"]:  # strptime and a zone: not without ISO 8601
            return False
        return 1 <= first <= 12 and second <= 31
    if shape in ("day, month name", "month name, day"):
        name = found[3] if shape == "day, month name" else found[1]
        return not found["zone"] and (name.lower() in MONTHS)
    return True


def _day_or_month_first(matches, in_order, prefers_month_first):
    """(is the day first, is that an assumption, why); (None, ...) if never open."""
    pairs: Counter[tuple[int, int, str]] = Counter()
    has_clock = False
    for shape, found, count in matches:
        if shape == "numbers":
            pairs[int(found[1]), int(found[3]), found[2]] += count
            has_clock = has_clock or bool(found["half"])
    if not pairs:
        return None, False, ""
    day_first = sum(n for (first, _, _), n in pairs.items() if first > 12)
    month_first = sum(n for (_, second, _), n in pairs.items() if second > 12)
    if day_first != month_first:
        order = day_first > month_first
        many, few = sorted((day_first, month_first), reverse=True)
        evidence = f"{many:,} rows can only be {_name(order)}"
        if few:
            evidence += f", {few:,} cannot"
        return order, False, evidence
    if "." in {sign for *_, sign in pairs}:
        return True, False, "dots between the numbers"
    sorted_as = {order: _share_in_order(in_order, order) for order in (True, False)}
    best = sorted_as[True] > sorted_as[False]
    if sorted_as[best] >= max(ROWS_IN_ORDER, sorted_as[not best] + STEPS_BACK):
        return best, False, f"the rows are in order of time if {_name(best)}"
    if has_clock:
        return False, True, "an American clock (AM, PM), no day above 12"
    return not prefers_month_first, True, "no day is above 12"


def _name(is_day_first: bool) -> str:
    return "day first" if is_day_first else "month first"


def _share_in_order(texts: Iterable[str], is_day_first: bool) -> float:
    """Of neighbouring rows with different dates, what share goes the same way."""
    days = []
    for text in texts:
        found = SHAPES["numbers"].match(text)
        if found:
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            month, day = (second, first) if is_day_first else (first, second)
            days.append((year, month, day))
    steps = [b > a for a, b in pairwise(days) if a != b]
    if len(steps) < 20:
        return 0.0
    return max(sum(steps), len(steps) - sum(steps)) / len(steps)


def _format(shape: str, found: re.Match, is_day_first: bool) -> str:
    """Return strptime's format of a text; empty for ISO 8601."""
    if shape == "compact":
        return "%Y%m%d"
    if shape == "compact with time":
        return "%Y%m%d%H%M%S"
    if shape == "year first":
        if found[2] == "-" and not found["half"] and "," not in (found["gap"] or ""):
            return ""
        day = "%Y{0}%m{0}%d".format(found[2])
    elif shape == "numbers":
        parts = ("%d", "%m") if is_day_first else ("%m", "%d")
        year = "%Y" if len(found[4]) == 4 else "%y"
        day = found[2].join((*parts, year))
    else:
        is_long = len(found[3] if shape.startswith("day") else found[1]) > 3
        month = "%B" if is_long else "%b"
        year = "%Y" if len(found[5]) == 4 else "%y"
        first, last = ("%d", month) if shape.startswith("day") else (month, "%d")
        day = f"{first}{found[2]}{last}{found[4]}{year}"
    return day + _time_format(found)


def _time_format(found: re.Match) -> str:
    if not found["time"]:
        return ""
    seconds = "%S" if found["seconds"] else ""
    hour = "%I" if found["half"] else "%H"
    text = f"{found['gap']}{hour}:%M" + (f":{seconds}" if seconds else "")
    if found["fraction"]:
        text += ".%f"
    if found["half"]:
        text += " %p" if found["half"].startswith(" ") else "%p"
    return text
