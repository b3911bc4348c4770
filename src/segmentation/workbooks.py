"""Sheets of workbooks, Excel's and OpenDocument's, as rows of text."""

from collections.abc import Iterator
from datetime import date, datetime, time

import python_calamine


class WorkbookError(ValueError):
    """A workbook that cannot be read; the text names it and says what to do."""


def facts(path: str, sheet: str | None = None) -> dict:
    """Look at a sheet without taking its cells apart.

    Parameters
    ----------
    path
        A workbook: xlsx, xlsm, xlsb, xls or ods.
    sheet
        The name of the sheet; None is the first.

    Returns
    -------
    ``sheet``, its name; ``header``, the texts of its first row that is not blank; and
    ``row_count``, how many rows below it are not blank.

    Raises
    ------
    WorkbookError
        If the file is no workbook, is protected by a password, or lacks the sheet.

    """
    found = _open(path, sheet)
    full = (row for row in found.iter_rows() if any(cell != "" for cell in row))
    header = [text_of(cell) or "" for cell in next(full, [])]
    return {"sheet": found.name, "header": header, "row_count": sum(1 for _ in full)}


def rows(path: str, sheet: str | None = None) -> Iterator[tuple[int, list[str | None]]]:
    """Yield each row that is not blank, header first, with its number in the sheet.

    Parameters and errors are those of `facts`. All rows have as many cells as the
    header; a cell is `text_of` its value.
    """
    for number, row in enumerate(_open(path, sheet).iter_rows(), start=1):
        if any(cell != "" for cell in row):
            yield number, [text_of(cell) for cell in row]


def text_of(cell) -> str | None:
    """Return a cell's value as text; None where it is empty.

    A workbook keeps numbers as doubles: they are given in the fewest digits that mean
    the same double, without an exponent or ``.0`` where they are whole. Dates and times
    are ISO 8601.

    Examples
    --------
    >>> [text_of(value) for value in (17850.0, 19.99, True, "00012", "")]
    ['17850', '19.99', 'true', '00012', None]
    >>> text_of(datetime(2024, 1, 2, 3, 4, 5))
    '2024-01-02 03:04:05'

    """
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if cell != "" else None


def _open(path: str, sheet: str | None) -> python_calamine.CalamineSheet:
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        names = workbook.sheet_names
        if sheet is not None and sheet not in names:
            raise WorkbookError(
                f"{path} has no sheet '{sheet}'. It has: {', '.join(names)}. Name one "
                "of them as sheet under the input's data_file, or none for the first."
            )
        return workbook.get_sheet_by_name(sheet or names[0])
    except python_calamine.PasswordError as error:
        raise WorkbookError(
            f"{path} is protected by a password. Save it without one (in Excel: File, "
            "Info, Protect Workbook, Encrypt with Password, and leave it empty)."
        ) from error
    except (python_calamine.CalamineError, OSError) as error:
        raise WorkbookError(
            f"{path} cannot be read as a workbook ({error}). Open it in a spreadsheet "
            "and save it again as .xlsx, or export the sheet as CSV."
        ) from error
