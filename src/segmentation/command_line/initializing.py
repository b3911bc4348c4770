"""`segmentation init`: a file of a stranger becomes an input."""

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
QUESTION = "Is this right? (Enter: yes; column = Header: change it; ?: help; q: stop)"
MISSING_QUESTION = "Which is it? (column = Header; ?: help; q: stop)"
HELP = """
    customer_id = E-Mail      the column customer_id is under this header
    unit_cost =               the file has no such column
    ordered_at = Date         makes it a file of orders
    dates = month-first       how 01/02/2024 is meant, or day-first
"""
ORDERS_OF_DATES = {"day-first": True, "month-first": False}


def initialize(options: Namespace) -> None:
    """Guess what the columns of a file are, ask, and write the input.

    Raises
    ------
    Fault
        With what is missing, before anything is written.

    """
    _check_name(options.name)
    given = _given(options.map)
    is_day_first = ORDERS_OF_DATES.get(options.dates)
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
                    "Give the file of orders first, that of customers as --customers.",
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
    found = _guess(path, table, kind, given)
    print(talking.describe(path, table, found), end="\n\n")
    while may_ask:
        if found.missing:
            print(_missing(path, table, found), end="\n\n")
        answer = talking.ask(MISSING_QUESTION if found.missing else QUESTION)
        if answer.lower() in ("q", "quit"):
            raise Fault("Nothing was written.")
        if answer.lower() in ("", "y", "yes"):
            if not found.missing:
                break
        elif answer == "?":
            print(HELP)
        else:
            try:
                given = _corrected(table, given, answer)
                found = _guess(path, table, kind, given)
            except Fault as fault:
                print(f"{fault}\n")
            else:
                print(f"\n{talking.describe(path, table, found)}\n")
    if found.missing:
        raise _missing(path, table, found)
    _check_headers(path, table, found)
    return Source(table, found)


def _guess(path: str, table: Table, kind: str | None, given: dict[str, str]) -> Guess:
    try:
        return guess(table.columns, kind, given)
    except KeyError as error:
        headers = ", ".join(column.header for column in table.columns)
        raise Fault(
            f"{path} has no column {error.args[0]}.", f"It has: {headers}."
        ) from error


def _corrected(table: Table, given: dict[str, str], answer: str) -> dict[str, str]:
    """What is given, with the answer to a question: column = Header, or dates = ..."""
    name, _, value = (part.strip() for part in answer.partition("="))
    if name != "dates":
        return {**given, **_given([answer])}
    if value not in ORDERS_OF_DATES:
        raise Fault("It is dates = day-first or dates = month-first.")
    for column in table.columns:
        column.is_day_first = ORDERS_OF_DATES[value]
        column.__dict__.pop("dates", None)  # read anew
    return given


def _missing(path: str, table: Table, found: Guess) -> Fault:
    wanted = "\n".join(
        f"  {role:<12} {MEANINGS.get(role, '')}".rstrip() for role in found.missing
    )
    headers = ", ".join(column.header for column in table.columns)
    return Fault(
        f"In {path} no column was found for:\n{wanted}\nIts columns are: {headers}.",
        f"Name it: segmentation init NAME {path} --map {found.missing[0]}=HEADER",
    )


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
            "Those with orders are segmented by what they bought.",
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
    draft.replace(path)


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
