"""Dirty text files and small ones: nothing is lost, and everything has a reason."""

import re
from decimal import Decimal

import duckdb
import pytest
from builds import NO_UNIT_TESTS, build, continued, shared, write_lines
from conftest import fixture_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

HEADER = b"order_id,customer_id,ordered_at,product_id,quantity,unit_price"
# Lines of a file as they stand, and what becomes of them: (reason or None, product).
# Endings are those of Windows throughout, but inside a quoted field.
DIRT = [
    (b'Q1,K01,2024-05-05 10:00:00,"P 1,1,2.00', "unclosed_quote"),
    (b"Q2,K01,2024-05-05 10:00:00,P1,1,2.00,extra", "wrong_number_of_columns"),
    (b"Q3,K01,2024-05-05 10:00:00,P1,1", "wrong_number_of_columns"),
    (b"Q\xe94,K01,2024-05-05 10:00:00,P1,1,2.00", "invalid_encoding"),
    (b"Q5,K01,2024-05-05 10:00:00,P1,1,2.00\x93", "invalid_encoding"),
    (b"just text", "wrong_number_of_columns"),
    (b"Q7,K01,yesterday,P1,1,2.00", "invalid_date"),
    (b'Q8,K01,"2024-05-05 10:00:00",P1,"1","free"', "invalid_price"),
]
CLEAN = {
    "A1": (b'"P ""BIG"", RED"', 'P "BIG", RED'),
    "A2": (b'"P\n2"', "P\n2"),
    "A3": (b'"P\r\n3\r\nB"', "P\n3\nB"),
    "A\u00c94": ("\u00c4PFEL & \u00d6L".encode(), "\u00c4PFEL & \u00d6L"),
    "A5": ("\u674e\u20ac\U0001f600".encode(), "\u674e\u20ac\U0001f600"),
    "A6": (b'""', None),
    "A7": (b"=1+1", "=1+1"),
    "A8": (b" P8 ", "P8"),
    "A9": (b'P"9', 'P"9'),
}
PEOPLE = {
    "K01": ('"O\'Hara, ""Rake"" Lily"', 'O\'Hara, "Rake" Lily'),
    "K02": ("J\u00f6rg \u00c4ser-Gro\u00df", "J\u00f6rg \u00c4ser-Gro\u00df"),
    "K03": ('"Line\nBreak"', "Line\nBreak"),
    "K04": ("<b>Bob</b>", "<b>Bob</b>"),
}


def orders(customers, count):
    return [
        f"O{number},K{number % customers:02d},2024-{1 + number % 12:02d}-"
        f"{1 + number % 28:02d} 10:00:00,P{number % 7},{1 + number % 3},"
        f"{number % 90 + 1}.50"
        for number in range(count)
    ]


@shared
def dirty(folder, of):
    """600 sound orders of 80 customers with the dirt among them."""
    lines = [line.encode() for line in orders(80, 600)]
    for position, (line, _) in enumerate(DIRT):
        lines.insert(20 * position + 5, line)
    for position, (order, (product, _)) in enumerate(CLEAN.items()):
        line = b"%s,K01,2024-05-05 10:00:00,%s,1,2.00" % (order.encode(), product)
        lines.insert(30 * position + 300, line)
    for position in (3, 50, 400):
        lines.insert(position, b"")
    content = b"\xef\xbb\xbf" + b"\r\n".join([HEADER, *lines]) + b"\r\n\r\n"
    (folder / "lines.csv").write_bytes(content)
    people = [f"{key},{text}" for key, (text, _) in PEOPLE.items()]
    (folder / "people.csv").write_text(
        "\n".join(["customer_id,customer_name", *people]), encoding="utf-8"
    )
    return build(
        folder,
        args=NO_UNIT_TESTS,
        variables={"input": "template"},
        data=folder / "lines.csv",
        customers=folder / "people.csv",
    )


dirty_fixture = fixture_of("dirty")


def physical_lines(content: bytes) -> list[bytes]:
    return re.split(rb"\r\n|\n|\r", content)


# ---- a whole build of a dirty file -------------------------------------------------


def test_each_dirty_line_is_in_the_quarantine_as_it_stands(dirty):
    lines = physical_lines((dirty.folder / "lines.csv").read_bytes())
    found = dirty.rows(
        "select source_line, reason, source_row from dev_staging.stg_quarantined_rows "
        "where source_table = 'order_lines' order by source_line"
    )
    assert [reason for _, reason, _ in found] == [reason for _, reason in DIRT]
    for (number, reason, text), (line, _) in zip(found, DIRT, strict=True):
        assert lines[number - 1] == line, reason
        order = line.split(b",")[0]
        if reason == "invalid_encoding":  # the broken byte may look like anything
            assert text.startswith("Q")
        elif reason in {"invalid_date", "invalid_price"}:
            assert f"order_id={order.decode()} " in text
        else:
            assert text == line.decode()


def test_nothing_of_a_dirty_file_is_lost(dirty):
    lines = physical_lines((dirty.folder / "lines.csv").read_bytes())
    inner = 1 + 2  # further lines of the rows A2 and A3
    physical = sum(1 for line in lines if line) - 1 - inner
    assert physical == 600 + len(DIRT) + len(CLEAN)
    used = dirty.one("select count(*) from dev_staging.stg_order_lines")
    out = dirty.one(
        "select count(*) from dev_staging.stg_quarantined_rows "
        "where source_table = 'order_lines'"
    )
    assert (used, out) == (600 + len(CLEAN), len(DIRT))
    reported = dict(
        dirty.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'order_lines' and measure <> 'note' group by measure"
        )
    )
    assert reported == {"physical": physical, "used": used, "quarantined": out}


def test_quotes_line_breaks_and_letters_of_any_script_are_read_right(dirty):
    found = dict(
        dirty.rows(
            "select order_id, product_id from dev_staging.stg_order_lines "
            "where order_id like 'A%'"
        )
    )
    assert found == {name: product for name, (_, product) in CLEAN.items()}
    names = dict(
        dirty.rows("select customer_id, customer_name from dev_staging.stg_customers")
    )
    assert names == {key: name for key, (_, name) in PEOPLE.items()}


def test_a_dirty_file_is_published_all_the_same(dirty):
    assert dirty.lines("Published")
    assert dirty.manifest()["input"] == "template"
    assert dirty.one("select count(*) from dev_marts.dim_customers") == 80


def test_the_sum_of_a_dirty_file_is_that_of_its_sound_lines(dirty):
    total = 2 * len(CLEAN) + sum(
        int(quantity) * Decimal(price)
        for *_, quantity, price in (line.split(",") for line in orders(80, 600))
    )
    assert dirty.one("select sum(monetary) from dev_marts.dim_customers") == total


# ---- any bytes ---------------------------------------------------------------------


VALID = HEADER + b"".join(
    b"\r\nO1,K1,2024-01-0%d 10:00:00,%s,1,2.00" % (day, product)
    for day, product in enumerate(
        [b"P1", b'"P ""2"""', b'"P\n3"', "\u00dc\u00df\u20ac".encode(), b'"a,b"', b""],
        1,
    )
)
# A carriage return alone is no line end that all readers agree on.
CHUNKS = st.one_of(
    st.sampled_from(
        [b'"', b'""', b",", b"\n", b"\r\n", b"\n\n", b"\x00", b"\xef\xbb\xbf"]
    ),
    st.binary(min_size=1, max_size=4).filter(lambda chunk: b"\r" not in chunk),
)


@pytest.fixture(scope="module")
def reading(dirty, tmp_path_factory):
    """The reading SQL of the dirty build, to run on any other file."""
    sql = (
        dirty.folder
        / "target/compiled/customer_segmentation/models/input/template"
        / "template__order_lines.sql"
    ).read_text()
    old, new = dirty.folder / "lines.csv", tmp_path_factory.mktemp("any") / "any.csv"
    assert str(old) in sql
    connection = duckdb.connect()
    connection.execute("set threads = 1")

    def read(content: bytes):
        new.write_bytes(content)
        rejects = "template__order_lines_rejects_1"
        connection.execute(f"drop table if exists {rejects}")
        connection.execute(f"drop table if exists {rejects}_scan")
        rows = connection.execute(
            f"select line_count, reject_reason, order_id, product_id "
            f"from ({sql.replace(str(old), str(new))}) order by source_line"
        ).fetchall()
        # The post-hook adds these lines; here they only have to be counted.
        (rejected,) = connection.execute(
            f"select count(distinct line) from {rejects}"
        ).fetchone()
        return rows + [(1, "invalid_encoding", None, None)] * rejected

    yield read
    connection.close()


def test_the_valid_file_is_read_whole(reading):
    assert reading(VALID) == [
        (1, None, "O1", "P1"),
        (1, None, "O1", 'P "2"'),
        (2, None, "O1", "P\n3"),
        (1, None, "O1", "\u00dc\u00df\u20ac"),
        (1, None, "O1", "a,b"),
        (1, None, "O1", None),
    ]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 10_000), CHUNKS), min_size=1, max_size=5))
@example([(60, b"\x93")])
@example([(60, b"\xc3\x9f")])
def test_no_bytes_make_a_line_vanish(reading, inserted):
    body = VALID[len(HEADER) + 2 :]
    for position, chunk in inserted:
        place = position % (len(body) + 1)
        if body[place - 1 : place + 1] == b"\r\n":
            place += 1
        body = body[:place] + chunk + body[place:]
    rows = reading(HEADER + b"\r\n" + body)
    physical = sum(1 for line in physical_lines(body) if line)
    assert sum(count for count, *_ in rows) == physical


def test_a_blank_line_within_quotes_is_kept_and_not_counted(reading):
    row = b'O1,K1,2024-01-01,"P\r\n\r\n1",1,2.00'
    (count, reason, _, product), following = reading(
        b"\r\n".join([HEADER, row, b"O2,K1,2024-01-01,P1,1,2.00"])
    )
    assert (reason, product) == (None, "P\n\n1")
    assert count == 2, "lines that are not blank, as they are counted independently"
    assert following == (1, None, "O2", "P1")


@pytest.mark.parametrize(
    "content",
    [
        b"\nO1,K1,2024-01-01,P\r1,1,2.00\nO2,K1,2024-01-01,P1,1,2.00\n",
        b"\r\nO1,K1,2024-01-01,P1,1,2.00\nO2,K1,2024-01-01,P1,1,2.00\r\n",
        b"\nO1,K1,2024-01-01,P1,1,2.00\r\r\nO2,K1,2024-01-01,P1,1,2.00\r\r\n",
    ],
    ids=["one inside", "mixed endings", "doubled"],
)
def test_stray_carriage_returns_are_no_reason_to_stop(reading, content):
    rows = reading(HEADER + content)
    assert rows
    orders_found = {order for _, reason, order, _ in rows if reason is None}
    assert "O2" in orders_found
    by_any, by_newline = (
        sum(1 for line in re.split(ending, content) if line.strip(b"\r"))
        for ending in (rb"\r\n|\n|\r", rb"\n")
    )
    assert sum(count for count, *_ in rows) in {by_any, by_newline}


def test_the_file_may_end_without_a_line_end_or_have_no_row(reading):
    row = b"\nO1,K1,2024-01-01,P1,1,2.00"
    assert len(reading(HEADER + row)) == 1
    assert len(reading(HEADER + row + b"\n")) == 1
    assert reading(HEADER) == []
    assert reading(HEADER + b"\n") == []


# ---- too little to segment ---------------------------------------------------------


def test_49_customers_have_no_scores_and_no_clusters_but_are_published(few_customers):
    """On the production target, whose schemas are plain."""
    assert few_customers.lines("Published")
    customers = few_customers.frame("select * from marts.dim_customers")
    assert len(customers) == 49
    assert set(customers["rfm_status"]) == {"insufficient_data"}
    for score in ("recency_score", "frequency_score", "monetary_score", "rfm_code"):
        assert customers[score].isna().all(), score
    assert set(customers["segment_name"]) == {"Not segmented"}
    assert set(customers["segment_status"]) == {"insufficient_data"}
    assert customers["frequency"].min() >= 1
    candidates = few_customers.rows(
        "select segmentation, status, reason, is_chosen "
        "from marts.rpt_segment_candidates order by segmentation"
    )
    reason = "49 sampled customers; at least 50 are needed"
    assert candidates == [
        (segmentation, "insufficient_data", reason, False)
        for segmentation in ("behaviour", "value")
    ]
    assert few_customers.one("select count(*) from registry.segment_prototypes") == 0
    assert few_customers.one("select count(*) from registry.rfm_cut_points") == 0
    names = {file["name"] for file in few_customers.manifest()["files"]}
    assert {"dim_customers.parquet", "rpt_segment_candidates.parquet"} <= names


TINY = {
    # customers, of them with a purchase, orders, money back
    "only guests": (
        [f"O{day},,2024-01-0{day} 10:00:00,P1,1,2.00" for day in range(1, 9)],
        (0, 0, 8, None),
    ),
    "only returns": (
        [f"R{day},K{day},2024-01-0{day} 10:00:00,P1,-1,2.00" for day in range(1, 9)],
        (8, 0, 0, Decimal(16)),
    ),
    "a single order": (
        ["O1,K1,2024-01-01 10:00:00,P1,1,2.00"],
        (1, 1, 1, Decimal(0)),
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "a single order" else pytest.mark.slow)
        for name in TINY
    ],
)
def test_hardly_any_data_still_runs(few_customers, tmp_path, name):
    lines, expected = TINY[name]
    continued(few_customers, tmp_path, exports=False)
    tiny = build(
        tmp_path,
        "run",
        args=["--target", "prod", "--exclude", "publish"],
        variables={"input": "template"},
        data=write_lines(tmp_path / "lines.csv", lines),
    )
    customers = tiny.rows(
        "select count(*), count(*) filter (frequency > 0) from marts.dim_customers"
    )[0]
    orders_found = tiny.one("select count(*) from marts.fct_orders")
    back = tiny.one("select sum(money_back_amount) from marts.dim_customers")
    assert (*customers, orders_found, back) == expected
    assert set(tiny.rows("select distinct segment_name from marts.dim_customers")) <= {
        ("Not segmented",)
    }
    assert tiny.rows(
        "select segmentation, status, is_chosen "
        "from marts.rpt_segment_candidates order by segmentation"
    ) == [
        ("behaviour", "insufficient_data", False),
        ("value", "insufficient_data", False),
    ]
    assert tiny.one(
        "select sum(row_count)::int from marts.rpt_data_quality "
        "where source_table = 'order_lines' and measure = 'used'"
    ) == len(lines)


@pytest.mark.slow
def test_a_file_without_a_row_is_no_reason_to_crash(few_customers, tmp_path):
    """It runs, or it stops with a sentence."""
    continued(few_customers, tmp_path, exports=False)
    empty = build(
        tmp_path,
        "run",
        args=["--target", "prod", "--exclude", "publish"],
        variables={"input": "template"},
        data=write_lines(tmp_path / "lines.csv", []),
        green=None,
    )
    assert "Traceback" not in empty.output
    assert empty.code == 0 or "no usable order" in empty.output
