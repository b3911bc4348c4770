"""`segmentation init`: a file of a stranger becomes an input."""

import os
import re
import shutil
from argparse import Namespace
from pathlib import Path

from segmentation.command_line import choice, talking
from segmentation.command_line.faults import Fault
from segmentation.command_line.files import Table, read_table
from segmentation.command_line.guessing import Guess, guess, prepare
from segmentation.command_line.project_file import with_input
from segmentation.command_line.roles import ROLES
from segmentation.command_line.writing import MARK, Source, write_input

INPUTS = Path("models/input")
PROJECT = Path("dbt_project.yml")
MEANINGS = {
    "customer_id": "who bought: a number, or an e-mail address",
    "ordered_at": "when it was bought",
    "amount": "what was paid (or unit_price, the price of one piece)",
    "event_at": "when it happened",
    "event_type": "what happened",
}
HELP = """\
Write a column of the table above, = and the header that it is in your file:
    customer_id = E-Mail      another header
    unit_cost =               there is none
    dates = month-first       or day-first
or q to stop without writing anything."""


def initialize(options: Namespace) -> None:
    """Guess what the columns of a file are, ask, and write the input.

    Raises
    ------
    Fault
        With what is missing, before anything is written.

    """
    _check_name(options.name)
    given = _given(options.map)
    is_day_first = {"day-first": True, "month-first": False}.get(options.dates)
    may_ask = not options.yes and talking.can_ask()
    may_replace = _may_replace(options.name, options.replace, may_ask)
    sources: dict[str, Source] = {}
    found = _look(options.file, None, given, is_day_first, may_ask)
    sources[found.guess.kind] = found
    for kind, path in (("customers", options.customers), ("events", options.events)):
        if path:
            if kind in sources:
                raise Fault(
                    f"{options.file} is a file of customers already.",
                    "Give the file of orders first, and that of customers as --customers.",
                )
            sources[kind] = _look(path, kind, {}, is_day_first, may_ask)
            _match_keys(sources, kind)
    features = _features(sources, options.features)
    currency = options.currency or _currency(sources)
    written = write_input(options.name, sources, currency.upper(), features)
    changed = with_input(
        PROJECT.read_text(encoding="utf-8"), options.name, written.declaration
    )
    folder = INPUTS / options.name
    if may_replace:
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for file, text in written.files.items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")
    _replace(PROJECT, changed)
    choice.remember(options.name, written.variables)
    print(_report(options, sources, written, currency, features))


def _check_name(name: str) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise Fault(
            f"'{name}' cannot be the name of an input.",
            "Take small letters, digits and underscores, like my_shop.",
        )


def _may_replace(name: str, replace: bool, may_ask: bool) -> bool:
    """Whether a folder is there that is to be replaced."""
    folder = INPUTS / name
    properties = folder / f"_{name}.yml"
    if not folder.exists():
        return False
    if not properties.exists() or not properties.read_text("utf-8").startswith(MARK):
        raise Fault(
            f"{folder} is there, and was not written by init.", "Take another name."
        )
    if replace:
        return True
    if may_ask:
        answer = talking.ask(f"{folder} is there already. Replace it? [y/N]")
        if answer.lower() in ("y", "yes"):
            return True
        raise Fault("Nothing was changed.")
    raise Fault(
        f"{folder} is there already, and is not replaced without being asked to.",
        f"To replace it: segmentation init {name} FILE --replace",
    )


def _given(pairs: list[str]) -> dict[str, str]:
    """column=Header, as the user gave them."""
    known = {role.name for roles in ROLES.values() for role in roles}
    given = {}
    for pair in pairs:
        name, sign, header = (part.strip() for part in pair.partition("="))
        if not sign or name not in known:
            raise Fault(
                f"'{pair}' is no column=Header that is known.",
                f"Columns are: {', '.join(sorted(known))}.",
            )
        given[name] = header
    return given


def _look(
    path: str,
    kind: str | None,
    given: dict[str, str],
    is_day_first: bool | None,
    may_ask: bool,
) -> Source:
    """Read a file, guess, show, and take corrections until it is right."""
    table = read_table(path)
    prepare(table.columns, is_day_first)
    while True:
        try:
            found = guess(table.columns, kind, given)
        except KeyError as error:
            raise Fault(
                f"{path} has no column {error.args[0]}.",
                f"It has: {', '.join(column.header for column in table.columns)}.",
            ) from error
        print(talking.describe(path, table, found), end="\n\n")
        if found.missing and not may_ask:
            raise _missing(path, table, found)
        if not found.missing:
            _check_headers(path, table, found)
        if not may_ask:
            return Source(table, found)
        if found.missing:
            print(_missing(path, table, found), end="\n\n")
            question = "Which is it? (column = Header, or q)"
        else:
            question = "Is this right? (Enter for yes, column = Header to change, ?, q)"
        answer = talking.ask(question)
        if answer.lower() in ("q", "quit"):
            raise Fault("Nothing was written.")
        if answer.lower() in ("", "y", "yes") and not found.missing:
            return Source(table, found)
        if answer.lower().startswith("dates"):
            _set_dates(table, answer)
            continue
        try:
            given = {**given, **_given([answer])}
            guess(table.columns, kind, given)
        except (Fault, KeyError):
            given.pop(answer.partition("=")[0].strip(), None)
            print(f"{HELP}\n")


def _set_dates(table: Table, answer: str) -> None:
    is_day_first = "day" in answer
    for column in table.columns:
        column.is_day_first = is_day_first
        column.__dict__.pop("dates", None)


def _missing(path: str, table: Table, found: Guess) -> Fault:
    wanted = "\n".join(
        f"  {role:<12} {MEANINGS.get(role, '')}".rstrip() for role in found.missing
    )
    headers = ", ".join(column.header for column in table.columns)
    example = f"--map {found.missing[0]}=" + _quoted(table.columns[0].header)
    return Fault(
        f"In {path} no column was found for:\n{wanted}\nIts columns are: {headers}.",
        f"Name it: segmentation init NAME {path} {example}",
    )


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]+", text) else f"'{text}'"


def _check_headers(path: str, table: Table, found: Guess) -> None:
    """The build takes headers for one whose letters and digits are the same."""
    folded: dict[str, str] = {}
    used = {each.column.header for each in found.choices.values()} | set(
        found.attributes
    )
    for column in table.columns:
        key = re.sub(r"[\W_]", "", column.header.lower())
        if column.header in used and (not key or key in folded):
            other = folded.get(key, "nothing")
            raise Fault(
                f"The columns {column.header!r} and {other!r} of {path} cannot be told "
                "apart by their letters and digits.",
                "Rename one of them in the file.",
            )
        folded.setdefault(key, column.header)


def _match_keys(sources: dict[str, Source], kind: str) -> None:
    """Take the key of a second file by which most customers are found in the first."""
    if "orders" not in sources:
        return
    known = {
        _key(text) for text in sources["orders"].guess.column("customer_id").counts
    }
    found = sources[kind].guess
    shares = {
        column.header: len(known & {_key(text) for text in column.counts}) / len(known)
        for column in found.columns
    }
    own = found.column("customer_id")
    best = max(shares, key=shares.get)
    if own is None or shares[best] > shares[own.header] + 0.3:
        given = {"customer_id": best}
        sources[kind] = Source(sources[kind].table, guess(found.columns, kind, given))
    share = shares[sources[kind].guess.column("customer_id").header]
    header = sources[kind].guess.column("customer_id").header
    print(f"{share:.0%} of the customers who ordered are in it, by {header}.\n")
    if share < 0.05:
        raise Fault(
            f"Hardly a customer of the orders is in the file of {kind}.",
            "Check that both files name customers in the same way.",
        )


def _key(text: str) -> str:
    return text.strip().upper().removesuffix(".0")


def _features(sources: dict[str, Source], wanted: str | None) -> list[str] | None:
    if not wanted:
        return None
    if "orders" in sources or "customers" not in sources:
        raise Fault(
            "--features is for customers without orders.",
            "Orders are segmented by what was bought: see segmentations in dbt_project.yml.",
        )
    known = sources["customers"].guess.attributes
    chosen = [header.strip() for header in wanted.split(",")]
    for header in chosen:
        if header not in known:
            raise Fault(
                f"'{header}' is no attribute of a customer.",
                f"Known: {', '.join(known)}.",
            )
    return chosen


def _currency(sources: dict[str, Source]) -> str:
    return (sources["orders"].guess.currency if "orders" in sources else None) or "EUR"


def _replace(path: Path, text: str) -> None:
    """Write at once or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)


def _report(options, sources, written, currency, features) -> str:
    lines = [f"Written: {INPUTS / options.name}/ and its entry in dbt_project.yml."]
    if "orders" in sources:
        is_said = options.currency or sources["orders"].guess.currency
        how = "" if is_said else " (assumed; --currency names another)"
        lines.append(f"Amounts are in {currency.upper()}{how}.")
    segmentations = written.declaration.get("segmentations")
    if segmentations:
        names = list(next(iter(segmentations.values()))["features"])
        lines.append(
            f"Segments will be made from: {', '.join(names)} "
            "(--features 'A,B' takes others)."
        )
    lines.append(
        "The file stays where it is; only its path is kept, in .segmentation.yml."
    )
    lines += [
        "",
        "Next:",
        "  segmentation check    what will be used and what will not, in seconds",
        "  segmentation build    segments, in a minute or two",
    ]
    return "\n".join(lines)
