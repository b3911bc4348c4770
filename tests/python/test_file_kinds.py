"""Workbooks, JSON lines and partitioned Parquet, in one folder that grows."""

import gzip
import json
import shutil
import struct
from datetime import date, datetime

import duckdb
import openpyxl
import pytest
from builds import build, continued, shared
from conftest import fixture_of
from test_configuration_errors import (  # noqa: F401
    assert_stopped_and_named,
    small_project_fixture,
)

from segmentation import workbooks

HEADER = ["order_id", "customer_id", "ordered_at", "product_id", "quantity"]
SELECT = ["--select", "+stg_quarantined_rows", "+stg_order_lines"]


def write_workbook(path, rows, sheet="Lines", first_row=1):
    """Rows of cells, a None being an empty row; the sheet is the second of two."""
    workbook = openpyxl.Workbook()
    workbook.active.title = "Notes"
    workbook.active["A1"] = "Nothing of this is data"
    lines = workbook.create_sheet(sheet)
    for number, row in enumerate(rows, start=first_row):
        for place, cell in enumerate(row or [], start=2):
            lines.cell(number, place, cell)
    workbook.save(path)
    return path


def write_objects(path, lines):
    """Texts as they are, dictionaries as JSON; a byte order mark in front."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    content = ("\ufeff" + "\n".join(texts) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def run(folder, project, lines):
    variables = {"input": "template"}
    return build(
        folder, "run", args=SELECT, variables=variables, data=lines, project=project
    )


@shared
def project_with_a_sheet(folder, of):
    """The small project, where template reads the sheet Lines of workbooks."""
    project = folder / "project"
    shutil.copytree(of("small_project"), project)
    path = project / "models/input/template/_template.yml"
    text = path.read_text()
    found = "          table: order_lines\n"
    assert text.count(found) == 1
    path.write_text(text.replace(found, found + "          sheet: Lines\n"))
    return project


@shared
def kinds_of_files(folder, of):
    lines = folder / "lines"
    lines.mkdir()
    write_workbook(
        lines / "a.xlsx",
        [
            [*HEADER, "Unit Price", "note"],
            None,
            ["A1", "C1", datetime(2024, 1, 2, 13, 14, 15), "00012", 2, 19.99, "=1"],
            ["A2", 17850, date(2024, 1, 3), "P ü", 1, 1234567.8901],
            None,
            None,
            [None, None, None, None, None, None, "a note alone"],
            ["A3", "C1", "never", "P1", 1, 5],
            ["A4", "C1", "2024-01-04", 12345678901234, True, 0.1],
        ],
        first_row=3,
    )
    write_objects(
        lines / "b.jsonl.gz",
        [
            {"order_id": "B1", "customer_id": 17850, "ordered_at": "2024-01-02"}
            | {"product_id": {"sku": ["x", 1.5]}, "quantity": 1, "unit_price": 12.5},
            "",
            '{"order_id": "B2", "customer_id": "C2", "ordered_at": "2024-01-0',
            "[1, 2]",
            {"unit_price": "0.0001", "quantity": 3, "product_id": 'say "ü"\n'}
            | {"ordered_at": "2024-01-03T10:00:00Z", "customer_id": "C2"}
            | {"order_id": "B3", "channel": None, "a/b~c": {}},
        ],
    )
    for day, channel in (("2024-01-05", "web shop"), ("2024-01-06", None)):
        part = (
            lines
            / f"ordered_at={day}"
            / (
                "channel="
                + (channel or "__HIVE_DEFAULT_PARTITION__").replace(" ", "%20")
            )
        )
        part.mkdir(parents=True)
        duckdb.sql(
            f"select 'D{day[-1]}' as order_id, 'C3' as customer_id, "
            "'P1' as product_id, 2 as quantity, 1.25::decimal(9, 2) as unit_price"
        ).write_parquet(str(part / "part-0.parquet"))
    (lines / "archive").mkdir()
    (lines / "archive" / "old.csv").write_text("no,data\n")
    (lines / "~$a.xlsx").write_bytes(b"what Excel leaves while a workbook is open")
    return run(folder, of("project_with_a_sheet"), lines)


@shared
def kinds_of_files_a_day_later(folder, of):
    """A new file of each kind."""
    before = of("kinds_of_files")
    continued(before, folder, exports=False)
    lines = before.folder / "lines"
    names = [*HEADER, "unit_price"]
    further = ["C9", "2024-01-07", "P1", 1, 2]
    write_workbook(lines / "e.xlsx", [names, ["E1", *further]])
    write_objects(lines / "f.ndjson", [dict(zip(names, ["F1", *further], strict=True))])
    part = lines / "ordered_at=2024-01-07" / "channel=web"
    part.mkdir(parents=True)
    shutil.copy(next(lines.glob("*/channel=web*/part-0.parquet")), part)
    return run(folder, of("project_with_a_sheet"), lines)


for _job in (project_with_a_sheet, kinds_of_files, kinds_of_files_a_day_later):
    globals()[f"{_job.__name__}_fixture"] = fixture_of(_job.__name__)


def test_files_of_every_kind_are_read_to_the_last_digit(kinds_of_files):
    used = kinds_of_files.rows(
        "select order_id, customer_id, ordered_at::text, product_id, "
        "unit_price::text, channel from dev_staging.stg_order_lines order by order_id"
    )
    assert used == [
        ("A1", "C1", "2024-01-02 13:14:15", "00012", "19.9900", None),
        ("A2", "17850", "2024-01-03 00:00:00", "P Ü", "1234567.8901", None),
        ("B1", "17850", "2024-01-02 00:00:00", '{"SKU":["X",1.5]}', "12.5000", None),
        ("B3", "C2", "2024-01-03 10:00:00", 'SAY "Ü"\n', "0.0001", None),
        ("D5", "C3", "2024-01-05 00:00:00", "P1", "1.2500", "web shop"),
        ("D6", "C3", "2024-01-06 00:00:00", "P1", "1.2500", None),
    ]


def test_what_is_no_row_is_in_quarantine_with_its_line(kinds_of_files):
    kept = kinds_of_files.rows(
        "select source_file, source_line, reason from dev_staging.stg_quarantined_rows "
        "where source_table = 'order_lines' order by source_file, source_line"
    )
    assert kept == [
        ("a.xlsx", 9, "missing_order_id"),
        ("a.xlsx", 10, "invalid_date"),
        ("a.xlsx", 11, "invalid_quantity"),
        ("b.jsonl.gz", 3, "no_json_object"),
        ("b.jsonl.gz", 4, "no_json_object"),
    ]
    (text,) = kinds_of_files.rows(
        "select source_row from dev_staging.stg_quarantined_rows where source_line = 4"
    )
    assert text == ("[1, 2]",)


def test_rows_of_every_kind_are_counted_apart_from_reading_them(kinds_of_files):
    counted = kinds_of_files.rows(
        "select name, row_count from dev_registry.data_files_order_lines order by name"
    )
    assert [(name.rpartition("/")[2], count) for name, count in counted] == [
        ("a.xlsx", 5),
        ("b.jsonl.gz", 4),
        ("part-0.parquet", 1),
        ("part-0.parquet", 1),
    ]
    assert kinds_of_files.one("select count(*) from dev_staging.base_order_lines") == 11


def test_a_day_later_the_new_files_alone_are_read(kinds_of_files_a_day_later):
    assert kinds_of_files_a_day_later.lines("Reading 3 new of 7 files")
    deliveries = kinds_of_files_a_day_later.rows(
        "select delivery_number, list(order_id order by order_id) "
        "from dev_staging.base_order_lines "
        "where order_id is not null group by all order by all"
    )
    assert deliveries == [
        (1, ["A1", "A2", "A3", "A4", "B1", "B3", "D5", "D6"]),
        (2, ["D5", "E1", "F1"]),
    ]


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("broken.xlsx", b"no workbook", ["cannot be read as a workbook", "CSV"]),
        (
            "array.json",
            b'[\n{"order_id": 1},\n{"order_id": 2}\n]',
            ["jq", "a line"],
        ),
        ("other.jsonl", b'{"order": 1, "customer_id": 2}\n', ["order_id", "It has:"]),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_build_by_name(
    small_project, tmp_path, name, content, named
):
    path = tmp_path / name
    path.write_bytes(content)
    done = build(
        tmp_path,
        "run",
        args=["--select", "int_as_of_date"],
        variables={"input": "template"},
        data=path,
        project=small_project,
        green=False,
    )
    assert_stopped_and_named(done.output, [str(path), *named])


# ---- workbooks alone ---------------------------------------------------------------


def protected_workbook(path):
    """Write the least of what Excel makes of a password: an OLE file, encrypted within.

    The layout is that of [MS-CFB]: a header, one sector of the allocation table, one of
    the directory, with entries of 128 bytes.
    """
    sector = b"\xff\xff\xff\xff"
    end = struct.pack("<i", -2)

    def entry(name, kind, child=-1, right=-1, start=-2, size=0):
        text = name.encode("utf-16-le")
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBB", len(text) + 2, kind, 1)
            + struct.pack("<iii", -1, right, child)
            + bytes(36)
            + struct.pack("<iQ", start, size)
        )

    header = (
        bytes.fromhex("d0cf11e0a1b11ae1")
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(10)
        + struct.pack("<iiiiiiiii", 1, 1, 0, 4096, -2, 0, -2, 0, 0)
        + sector * 108
    )
    directory = (
        entry("Root Entry", 5, child=1)
        + entry("EncryptedPackage", 2, right=2, start=2, size=4096)
        + entry("EncryptionInfo", 2)
        + bytes(128)
    )
    chain = b"".join(struct.pack("<i", n) for n in range(3, 10)) + end
    table = struct.pack("<ii", -3, -2) + chain + sector * (128 - 2 - 8)
    path.write_bytes(header + table + directory + bytes(4096))
    return path


def test_a_workbook_with_a_password_says_so(tmp_path):
    path = protected_workbook(tmp_path / "secret.xlsx")
    with pytest.raises(workbooks.WorkbookError, match=r"secret.xlsx is protected by"):
        workbooks.facts(str(path))


def test_the_first_sheet_is_read_or_the_one_that_is_named(tmp_path):
    path = str(write_workbook(tmp_path / "two.xlsx", [["a", "b"], [1, 2], None, [3]]))
    assert workbooks.facts(path)["sheet"] == "Notes"
    found = workbooks.facts(path, "Lines")
    assert found == {"sheet": "Lines", "header": ["a", "b"], "row_count": 2}
    assert list(workbooks.rows(path, "Lines")) == [
        (1, ["a", "b"]),
        (2, ["1", "2"]),
        (4, ["3", None]),
    ]
    with pytest.raises(workbooks.WorkbookError, match=r"'Orders'. .*: Notes, Lines"):
        workbooks.facts(path, "Orders")


def test_an_empty_sheet_has_neither_header_nor_rows(tmp_path):
    path = str(write_workbook(tmp_path / "empty.xlsx", []))
    assert workbooks.facts(path, "Lines")["header"] == []
    assert list(workbooks.rows(path, "Lines")) == []
