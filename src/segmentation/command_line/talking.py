"""What the commands print, and what they ask."""

import shutil
import sys
import textwrap

from segmentation.command_line.files import Table
from segmentation.command_line.guessing import Guess

GAP = "  "


def width() -> int:
    """Columns of the terminal, from 72 to 120; 100 where there is none."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 72), 120)


def table(
    rows: list[tuple[str, ...]],
    heads: tuple[str, ...] = (),
    figures: tuple[int, ...] = (),
) -> str:
    """Return rows in aligned columns, figures to the right; lines end at the width."""
    everything = [heads, *rows] if heads else rows
    sizes = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    lines = []
    for row in everything:
        cells = [
            cell.rjust(size) if place in figures else cell.ljust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ]
        lines.append(short("  " + GAP.join(cells).rstrip(), width()))
    if heads:
        lines.insert(1, "  " + GAP.join("-" * size for size in sizes)[: width() - 2])
    return "\n".join(lines)


def short(text: str, length: int) -> str:
    """Return the text in one line of at most so many characters."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= length else text[: length - 3] + "..."


def wrapped(text: str) -> str:
    """Return a sentence in indented lines."""
    return textwrap.fill(
        text, width(), initial_indent="  - ", subsequent_indent="    ",
        break_on_hyphens=False,
    )  # fmt: skip


def can_ask() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> str:
    """Ask in one line; the end of the input is no answer."""
    try:
        return input(f"{question} ").strip()
    except EOFError:
        return ""


def describe(path: str, what: Table, found: Guess) -> str:
    """Say what a file was taken for: its kind, its columns and what is not used."""
    rows = f"{what.row_count:,} rows"
    if not what.is_whole:
        rows = f"looked at the first {rows}"
    if what.file_count > 1:
        rows += f" in {what.file_count} files"
    lines = [
        f"{path}: {rows}, {len(what.columns)} columns, {what.dialect}",
        f"It was taken for {_kind(found)}.",
        "",
    ]
    lines.append(
        table(
            [
                (
                    choice.role,
                    short(choice.column.header, 24),
                    short(", ".join(choice.column.examples(2)), 26),
                    choice.how_sure,
                    choice.why + (f"; or {choice.rival}?" if choice.rival else ""),
                )
                for choice in _in_order(found)
            ],
            ("column", "in your file", "for example", "how sure", "why"),
        )
    )
    if found.attributes:
        lines += ["", "What else is known of a customer:", _attributes(found)]
    if found.left_out:
        left_out = [
            f"{short(header, 30)} ({why})" if why else short(header, 30)
            for header, why in found.left_out.items()
        ]
        lines += ["", _listed("Not used: ", left_out)]
    notes = [*_reading_notes(found), *found.notes]
    if notes:
        lines += ["", *(wrapped(note) for note in notes)]
    return "\n".join(lines)


def _in_order(found: Guess):
    first = ["customer_id", "order_id", "ordered_at", "event_at"]
    return sorted(
        found.choices.values(),
        key=lambda choice: (
            first.index(choice.role) if choice.role in first else len(first),
            choice.column.position,
        ),
    )


def _kind(found: Guess) -> str:
    if found.kind == "customers":
        return "customers, one row each, without orders"
    if found.kind == "events":
        return "events of customers, one row each"
    if found.is_one_row_an_order:
        return "orders, one row each"
    if "order_id" not in found.choices:
        return "purchases, without numbers of orders"
    return "orders, one row for each line of an order"


def _attributes(found: Guess) -> str:
    by_header = {column.header: column for column in found.columns}
    return table(
        [
            (
                short(header, 30),
                "a number" if kind == "numeric" else "a category",
                short(", ".join(by_header[header].examples(4)), 44),
            )
            for header, kind in found.attributes.items()
        ]
    )


def _listed(head: str, parts: list[str]) -> str:
    return textwrap.fill(
        head + ", ".join(parts), width(), subsequent_indent="  ", break_on_hyphens=False
    )


def _reading_notes(found: Guess) -> list[str]:
    notes = []
    for choice in _in_order(found):
        dates = choice.column.dates
        if dates.share < 0.5 or not (dates.formats or dates.epoch_unit):
            continue
        example = choice.column.examples(1)[0]
        header = choice.column.header
        if dates.is_ambiguous:
            order = "day first" if dates.is_day_first else "month first"
            other = "month-first" if dates.is_day_first else "day-first"
            notes.append(
                f"{header}: is {example} day or month first? {dates.evidence}. "
                f"Assumed: {order}. If not: --dates {other}."
            )
        elif dates.is_day_first is not None:
            order = "day first" if dates.is_day_first else "month first"
            notes.append(f"{header}: {order} ({dates.evidence}).")
        elif dates.epoch_unit:
            notes.append(f"{header}: {dates.evidence}.")
    marks = {
        choice.column.header
        for choice in found.choices.values()
        if choice.column.decimal_mark == "," and choice.column.has_fractions
    }
    if marks:
        notes.append(f"Decimal comma in {', '.join(sorted(marks))}.")
    if found.kind == "orders" and "amount" in found.choices:
        notes.append(
            f"{found.choices['amount'].column.header} is taken as what was paid for "
            "the row: quantity 1, and an amount below zero is money back."
        )
    if found.key_is_personal:
        notes.append(
            f"Customers are told apart by {found.column('customer_id').header}: what "
            "is published has a code in its place."
        )
    if found.statuses_not_bought:
        notes.append(
            f"Rows with {found.column('order_status').header} = "
            f"{', '.join(found.statuses_not_bought)} will be left out, and counted."
        )
    return notes
