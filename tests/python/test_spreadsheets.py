"""Tables as CSV: what a spreadsheet and what a program reads from it."""

import csv
import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segmentation import spreadsheets
from segmentation.spreadsheets import safe_cell, write_csv

FORMULAS = [
    '=HYPERLINK("http://example.com","x")', "=1+1", "+cmd|'/c calc'!A0", "-2+3",
    "@SUM(A1)", "\t=1", "\r=1", "\n=1",
]  # fmt: skip
HARMLESS = ["a=1", "Grow the basket", " =1", "'=1", "", "5 - 3", "Żółć, 李小龙"]


def written(tmp_path, table):
    pq.write_table(table, tmp_path / "fct_things.parquet")
    path = write_csv(tmp_path / "fct_things.parquet")
    assert path == tmp_path / "fct_things.csv"
    return path.read_bytes()


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_with_an_apostrophe(text, tmp_path):
    assert safe_cell(text) == f"'{text}"
    content = written(tmp_path, pa.table({"segment_name": [text]})).decode()
    _, (cell,) = csv.reader(content.splitlines(keepends=True), strict=True)
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text):
    assert safe_cell(text) == text


def test_the_file_is_that_of_rfc_4180_in_utf_8(tmp_path):
    table = pa.table({
        "text": ['say "hi"', "a,b", "two\nlines", "Żółć", None],
        "count": pa.array([1, -2, None, 4, 5], pa.int32()),
        "amount": pa.array(
            [Decimal("-1.5"), Decimal(0), None, Decimal("0.0001"), Decimal(7)],
            pa.decimal128(18, 4),
        ),
        "share": [0.1, -0.25, None, 1e-7, 1.0],
        "is_so": [True, False, None, True, True],
        "day": [datetime.date(2025, 1, 1)] + 4 * [None],
    })  # fmt: skip
    assert (
        written(tmp_path, table)
        == (
            "text,count,amount,share,is_so,day\r\n"
            '"say ""hi""",1,-1.5000,0.1,true,2025-01-01\r\n'
            '"a,b",-2,0.0000,-0.25,false,\r\n'
            '"two\nlines",,,,,\r\n'
            "Żółć,4,0.0001,1e-07,true,\r\n"
            ",5,7.0000,1.0,true,\r\n"
        ).encode()
    )


def test_a_table_of_many_batches_and_one_without_rows_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheets, "BATCH_ROWS", 7)
    numbers = list(range(100))
    content = written(tmp_path, pa.table({"number": numbers}))
    assert content.decode().split() == ["number", *map(str, numbers)]
    nothing = pa.table({"number": pa.array([], pa.int64())})
    assert written(tmp_path, nothing) == b"number\r\n"
