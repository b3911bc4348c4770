"""The same customers in the forms that files come in: all are read alike.

The customers are made up here; only the headers are those of the real files.
"""

import gzip

import duckdb
import pytest
from builds import build, shared
from conftest import fixture_of
from test_configuration_errors import small_project_fixture  # noqa: F401

from segmentation import duckdb_plugin
from segmentation.duckdb_plugin import decode_text

# What Windows-1252 has and Latin-1 has not, and one byte that means nothing in it (81).
GENDERS = ["Männlich", "weiblich", "d\u2019autre", "\u201ex\u201c \u2013 y", "\\x81"]
PEOPLE = [
    (number, GENDERS[number % 5], 18 + number % 60, 15 + number, 1 + number * 7 % 100)
    for number in range(1, 60)
] + [(60, "Ã¤", 30, 40, 50)]  # C3 A4, which happens to be UTF-8 too
# id, text of the line after it, reason
BROKEN = [
    ("61", ["Männlich", "30", "15"], "wrong_number_of_columns"),
    ("x-62", ["Männlich", "30", "15", "40"], "malformed_customer_id"),
    ("", ["weiblich", "30", "15", "40"], "missing_customer_id"),
    ("7", ["weiblich", "", "15", "40"], "duplicate_customer"),
]
CARD_HEADER = (
    "cust_id;balance;balance_frequency;purchases;oneoff_purchases;"
    "installments_purchases;cash_advance;purchases_frequency;"
    "oneoff_purchases_frequency;purchases_installments_frequency;"
    "cash_advance_frequency;cash_advance_trx;purchases_trx;credit_limit;payments;"
    "minimum_payments;prc_full_payment;tenure"
)
SELECT = ["--select", "+rpt_data_quality", "+stg_customer_attributes"]


def rows_of(separator, digits):
    """The lines of a file, ids with so many digits, the broken ones after the 5th."""
    rows = [[f"{number:0{digits}d}", *map(str, further)] for number, *further in PEOPLE]
    rows[5:5] = [[identifier, *rest] for identifier, rest, _ in BROKEN]
    return [separator.join(row) for row in rows]


def mall(folder, content, name="mall.csv"):
    path = folder / name
    path.write_bytes(content)
    return build(
        folder,
        "run",
        args=SELECT,
        variables={"input": "mall_customers"},
        data=path,
    )


@shared
def mall_by_a_spreadsheet(folder, of):
    """Byte order mark, semicolons, Windows' line ends, Genre, ids with zeros."""
    header = "CUSTOMERID;GENRE;AGE;Annual_Income(k$);Spending Score (1-100)"
    text = "\r\n".join([header, *rows_of(";", 4)])
    return mall(folder, text.encode("utf-8-sig"))


@shared
def mall_in_windows_1252(folder, of):
    """Compressed, with TABs, carriage returns alone, Gender, a euro in the header."""
    header = "customer id\tgender\tage\tannual income (k€)\tspending_score(1-100)"
    text = "\r".join([header, *rows_of("\t", 1)]) + "\r"
    content = text.encode("cp1252").replace(b"\\x81", b"\x81")
    return mall(folder, gzip.compress(content), "mall.csv.gz")


@shared
def credit_card_in_small_letters(folder, of):
    """Lower case, semicolons, quotes, a missing value in each numeric column."""
    rows = [
        [f'"C{10001 + number}"']
        + ["" if number == place else f"{number}.5" for place in range(17)]
        for number in range(60)
    ]
    path = folder / "card.csv"
    path.write_text("\n".join([CARD_HEADER, *map(";".join, rows)]) + "\n")
    return build(
        folder,
        "run",
        args=["--select", "+stg_customer_attributes", "+stg_quarantined_rows"],
        variables={"input": "credit_card"},
        data=path,
    )


@shared
def fixed_width(folder, of):
    """Windows' line ends, a blank line, and lines of other lengths."""
    lines = [
        " 00004 0001 19970101  2   29.33",
        "",
        " 00021 0002 19970102 12 1063.34",
        " 00021 0002 19970103  1",
        "00021 0002 19970103  1   12.00",
        " 00033 0003 19971301  1    9.90",
        " 00044 0004 19970105  1    9.90  ",
        " 00055 0005 1997010\xe4  1    9.90",
    ]
    path = folder / "cdnow.txt"
    path.write_bytes("\r\n".join(lines).encode("latin-1"))
    return build(
        folder,
        "run",
        args=["--select", "+rpt_data_quality", "+stg_order_lines"],
        variables={"input": "cdnow"},
        data=path,
    )


LINES = "order_id,customer_id,ordered_at,product_id,quantity,unit_price"


@shared
def folder_of_files(folder, of):
    """Files of one folder in six forms, and two that are none of its data."""
    lines = folder / "lines"
    (lines / "further").mkdir(parents=True)
    lines.joinpath("a.csv").write_bytes(
        (
            LINES + '\nA1,K1,2024-01-01,"P\n1",1,1.00\n\nA2,K1,2024-01-02,Pü,1,2\n'
        ).encode()
        + b"A\xff3,K1,2024-01-02,P1,1,2\nA4,K1,never,P1,1,2\n"
        + b"A5,K1,2024-01-03,P\xc3\xa4,1"
    )
    moved = ["unit_price", "Quantity", "PRODUCT ID", "ordered_at", "customer_id"]
    text = ";".join([*moved, "order_id"]) + "\n" + "4;1;Päck;2024-01-02;K2;B1\n" * 2
    lines.joinpath("b.csv.gz").write_bytes(gzip.compress(text.encode("cp1252")))
    lines.joinpath("c.TXT").write_text(LINES.replace(",", "\t") + "\n")
    lines.joinpath("d.csv").write_text("")
    for name, price in (("e", "3::integer"), ("f", "3.25::double")):
        duckdb.sql(
            f"select '{name}1' as order_id, 17::double as customer_id, "
            "timestamp '2024-01-03 10:00' as ordered_at, 'P1' as product_id, "
            f"2 as quantity, {price} as unit_price"
        ).write_parquet(str(lines / f"{name}.parquet"))
    lines.joinpath("_part.csv").write_text("half a fi")
    lines.joinpath("notes.md").write_text("none")
    return build(
        folder,
        "run",
        args=["--select", "+rpt_data_quality"],
        variables={"input": "template"},
        data=lines,
    )


for _job in (
    folder_of_files,
    mall_by_a_spreadsheet,
    mall_in_windows_1252,
    credit_card_in_small_letters,
    fixed_width,
):
    globals()[f"{_job.__name__}_fixture"] = fixture_of(_job.__name__)


def test_fields_of_fixed_width_are_cut_and_other_lines_kept(fixed_width):
    used = fixed_width.rows(
        "select order_id, customer_id, net_amount::text "
        "from dev_staging.stg_order_lines order by customer_id"
    )
    assert used == [
        ("00004-19970101", "00004", "29.3300"),
        ("00021-19970102", "00021", "1063.3400"),
        ("00044-19970105", "00044", "9.9000"),
    ]
    kept = fixed_width.rows(
        "select source_line, reason from dev_staging.stg_quarantined_rows "
        "order by source_line"
    )
    assert kept == [
        (4, "wrong_number_of_columns"),
        (5, "malformed_customer_id"),
        (6, "invalid_date"),
        (8, "invalid_encoding"),
    ]
    measures = dict(
        fixed_width.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'order_lines' and measure <> 'note' group by measure"
        )
    )
    assert measures == {"physical": 7, "used": 3, "quarantined": 4}


def test_all_files_of_a_folder_are_read_each_in_its_own_form(folder_of_files):
    used = folder_of_files.rows(
        "select order_id, customer_id, product_id, net_amount::text "
        "from dev_staging.stg_order_lines order by order_id"
    )
    assert used == [
        ("A1", "K1", "P\n1", "1.0000"),
        ("A2", "K1", "PÜ", "2.0000"),
        ("B1", "K2", "PÄCK", "4.0000"),
        ("E1", "17", "P1", "6.0000"),
        ("F1", "17", "P1", "6.5000"),
    ]
    kept = folder_of_files.rows(
        "select source_file, source_line, reason from dev_staging.stg_quarantined_rows "
        "where source_table = 'order_lines' order by source_file, source_line"
    )
    assert kept == [
        ("a.csv", 6, "invalid_encoding"),
        ("a.csv", 7, "invalid_date"),
        ("a.csv", 8, "wrong_number_of_columns"),
        ("b.csv.gz", 3, "duplicate_line"),
    ]
    measures = dict(
        folder_of_files.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'order_lines' and measure <> 'note' group by measure"
        )
    )
    assert measures == {"physical": 9, "used": 5, "quarantined": 4}


VARIANTS = ["mall_by_a_spreadsheet", "mall_in_windows_1252"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_customers_and_their_values_are_those_of_the_plain_file(request, variant):
    found = request.getfixturevalue(variant).rows(
        "select customer_id, gender, age, annual_income, spending_score "
        "from dev_staging.stg_customers join dev_staging.stg_customer_attributes "
        "using (customer_id) order by customer_id::int"
    )
    assert found == [(str(key), sex.lower(), *rest) for key, sex, *rest in PEOPLE]


@pytest.mark.parametrize("variant", VARIANTS)
def test_broken_rows_are_in_the_quarantine_with_their_lines(request, variant):
    finished = request.getfixturevalue(variant)
    found = finished.rows(
        "select source_line, reason, source_row from dev_staging.stg_quarantined_rows "
        "order by source_line"
    )
    assert [row[:2] for row in found] == [
        (7 + position, reason) for position, (_, _, reason) in enumerate(BROKEN)
    ]
    # A line that is no row is kept as it stands, others as what was read.
    assert found[0][2].replace(";", "\t").lstrip("0") == "61\tMännlich\t30\t15"
    assert "customer_id=x-62 " in found[1][2]
    assert "gender=Männlich" in found[1][2]
    measures = dict(
        finished.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'customers' and measure <> 'note' group by measure"
        )
    )
    assert measures == {"physical": 64, "used": 60, "quarantined": 4}


def test_the_build_says_that_it_reads_windows_1252(mall_in_windows_1252):
    (said,) = set(mall_in_windows_1252.lines("as Windows-1252"))
    # The header, 4 of 5 people, two of the broken rows, and the one that is UTF-8.
    not_utf_8 = 1 + sum(number % 5 != 1 for number in range(1, 60)) + 2
    assert not_utf_8 == 50
    assert "of its 51 lines with letters beyond ASCII 50 are not UTF-8" in said


def test_the_headers_of_the_credit_card_may_be_in_small_letters(
    credit_card_in_small_letters,
):
    found = credit_card_in_small_letters.frame(
        "select * from dev_staging.stg_customer_attributes order by customer_id"
    )
    assert found["customer_id"].tolist() == [f"C{10001 + n}" for n in range(60)]
    balance = found["balance"].tolist()
    assert balance[:3] == [None, 1.5, 2.5]
    assert found["tenure"].tolist()[15:18] == [15.5, None, 17.5]
    assert not credit_card_in_small_letters.rows(
        "select * from dev_staging.stg_quarantined_rows"
    )


def test_a_broken_header_of_a_utf_8_file_stops_with_a_sentence(small_project, tmp_path):
    """Nine of ten letters beyond ASCII say UTF-8, so that it is no Windows-1252."""
    path = tmp_path / "lines.csv"
    header = "order_id,customer_id,ordered_at,product_id,quantity,unit_price,Größe"
    rows = [f"O{n},K1,2024-01-01,Ä{n},1,2.00,ü".encode() for n in range(9)]
    path.write_bytes(b"\n".join([header.encode("cp1252"), *rows]))
    done = build(
        tmp_path,
        "run",
        args=["--select", "int_as_of_date"],
        variables={"input": "template"},
        data=path,
        project=small_project,
        green=False,
    )
    assert "START sql" not in done.output
    assert f"the header of {path} is not UTF-8, though 9 lines are" in done.output
    assert "encoding: cp1252" in done.output


# ---- decoding ----------------------------------------------------------------------


def test_every_byte_of_windows_1252_is_decoded_and_none_is_lost():
    meaningless = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    for byte in range(256):
        found = decode_text(bytes([65, byte]))
        if byte in meaningless:
            assert found == f"A\\x{byte:02x}"
        else:
            assert found.encode("cp1252") == bytes([65, byte])


def test_compressed_text_is_decoded_the_same():
    content = "Umsatz in €; „ja“".encode("cp1252")
    assert decode_text(gzip.compress(content)) == decode_text(content)


def test_text_that_does_not_fit_into_memory_is_refused_before_it_is_unpacked(
    monkeypatch,
):
    monkeypatch.setattr(duckdb_plugin, "MAXIMUM_TEXT_BYTES", 1000)
    assert len(decode_text(b"x" * 1000)) == 1000
    for content in (b"x" * 1001, gzip.compress(b"x" * 1_000_000)):
        with pytest.raises(ValueError, match="1,000 bytes of text at most"):
            decode_text(content)


def test_utf_16_is_refused_by_name():
    for encoding in ("utf-16-le", "utf-16-be"):
        with pytest.raises(ValueError, match="UTF-16: save it as UTF-8"):
            decode_text(("\ufeff" + "a,b").encode(encoding))
