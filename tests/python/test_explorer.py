"""The explorer's figures are those of the published tables; their size is bounded."""

import json
import re
import shutil

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import test_attribute_inputs  # noqa: F401 (registers the shared builds)
from builds import tree
from conftest import fixture_of

from segmentation import publishing
from segmentation.explorer import charts_of, is_due, write_explorer
from segmentation.explorer.page import embedded_json, render_page
from segmentation.explorer.payload import make_payload
from segmentation.explorer.reading import (
    LARGEST_COUNTRIES,
    OTHER_COUNTRIES,
    UNKNOWN_COUNTRY,
    PublishedSet,
    read_figures,
)

MEGABYTES = 1_000_000
mall_customers_fixture = fixture_of("mall_customers")


def payload_of(exports):
    text = (exports / "explorer.html").read_text(encoding="utf-8")
    (data,) = re.findall(
        r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL
    )
    return json.loads(data)


def published(exports, sql):
    """Rows of the published files; `from x` in the query is a table of the set."""
    folder = exports / json.loads((exports / "manifest.json").read_text())["folder"]
    sql = re.sub(r"\b((?:dim|fct|rpt)_\w+)", rf"'{folder}/\1.parquet'", sql)
    return duckdb.sql(sql).fetchall()


@pytest.fixture
def copied(demo, tmp_path):
    """The demo's exports, to change."""
    return shutil.copytree(demo.exports, tmp_path / "exports")


def change(exports, table, change_frame):
    """Change the rows of a published table, as if the set had been published so."""
    manifest = json.loads((exports / "manifest.json").read_text())
    path = exports / manifest["folder"] / f"{table}.parquet"
    before = pq.read_table(path)
    frame = change_frame(before.to_pandas())
    fields = [field.with_nullable(True) for field in before.schema]
    schema = pa.schema(fields)
    pq.write_table(before.from_pandas(frame, schema=schema, preserve_index=False), path)


# ---- the figures -------------------------------------------------------------------


def test_cells_add_up_to_the_summary_of_each_segment(demo):
    payload = payload_of(demo.exports)
    ids = {
        entry["id"]: [segment["id"] for segment in entry["segments"]]
        for entry in payload["segmentations"]
    }
    cells = pd.DataFrame(payload["cells"])
    cells["segment_id"] = [
        ids[segmentation][number]
        for segmentation, number in zip(
            cells["segmentation"], cells["segment"], strict=True
        )
    ]
    sums = cells.groupby(["segmentation", "segment_id"])[
        ["customers", "orders", "revenue", "value_at_risk"]
    ].sum()
    rows = published(
        demo.exports,
        "select segmentation, segment_id, customer_count, order_count, revenue, "
        "coalesce(value_at_risk, 0) from rpt_segment_summary where customer_count > 0",
    )
    assert len(rows) == len(sums)
    for segmentation, segment_id, *expected in rows:
        found = sums.loc[(segmentation, segment_id)].tolist()
        assert found == pytest.approx([float(x) for x in expected], abs=0.01)


def test_segments_stand_in_the_order_of_their_revenue_and_the_rest_last(demo):
    (value, *_) = payload_of(demo.exports)["segmentations"]
    rows = published(
        demo.exports,
        "select segment_id from rpt_segment_summary where segmentation = 'value' "
        "order by segment_id = 'value-0', revenue desc",
    )
    assert value["is_primary"]
    assert [segment["id"] for segment in value["segments"]] == [row[0] for row in rows]


def test_countries_beyond_the_largest_are_pooled_and_nobody_is_lost(copied):
    def many(frame):
        number = pd.Series(range(len(frame)), index=frame.index)
        frame["country"] = "Land " + (number % 40).astype(str)
        frame.loc[number % 40 == 39, "country"] = None
        return frame

    change(copied, "dim_customers", many)
    write_explorer(copied)
    payload = payload_of(copied)
    *largest, other, unknown = payload["countries"]
    assert (len(largest), other, unknown) == (
        LARGEST_COUNTRIES, OTHER_COUNTRIES, UNKNOWN_COUNTRY,
    )  # fmt: skip
    cells = pd.DataFrame(payload["cells"])
    of_value = cells[cells["segmentation"] == "value"]
    assert of_value["customers"].sum() == 3000
    by_country = of_value.groupby("country")["customers"].sum()
    assert by_country.iloc[-1] == 75, "one customer in forty has no country"
    assert by_country.iloc[:-2].tolist() == [75] * LARGEST_COUNTRIES


def test_one_country_is_nothing_to_choose_from(copied):
    change(copied, "dim_customers", lambda frame: frame.assign(country="Austria"))
    write_explorer(copied)
    assert payload_of(copied)["countries"] == []


def test_means_by_country_are_those_of_customers_with_a_purchase(demo):
    payload = payload_of(demo.exports)
    value = payload["segmentations"][0]
    profile = payload["profiles"]["value"]
    ids = [segment["id"] for segment in value["segments"]]
    features = [feature["id"] for feature in profile["features"]]
    means = pd.DataFrame(profile["by_country"])
    found = {
        (ids[row.segment], payload["countries"][row.country]): row.mean_value
        for row in means[means["feature"] == features.index("monetary")].itertuples()
    }
    rows = published(
        demo.exports,
        "select segment_id, country, avg(cast(monetary as double)) from "
        "dim_customers where frequency > 0 group by all",
    )
    assert found == {
        (segment, country): pytest.approx(float(mean), rel=1e-5)
        for segment, country, mean in rows
    }


def test_the_page_knows_no_customer(demo):
    payload = json.dumps(payload_of(demo.exports))
    ids = published(demo.exports, "select customer_id from dim_customers limit 200")
    assert not [customer for (customer,) in ids if f'"{customer}"' in payload]


# ---- its size ----------------------------------------------------------------------


def test_the_page_stays_below_six_megabytes(demo):
    assert (demo.exports / "explorer.html").stat().st_size < 6 * MEGABYTES


def test_twenty_times_the_customers_make_no_larger_page(copied):
    """Samples and aggregates have their bounds: only the numbers grow."""
    keyed = [
        "dim_customers", "fct_customer_segments", "rpt_customer_map",
    ]  # fmt: skip
    before = len(json.dumps(payload_of(copied)))

    def twenty_times(frame):
        copies = [
            frame.assign(customer_id=frame["customer_id"] + f"-{number}")
            for number in range(20)
        ]
        return pd.concat(copies, ignore_index=True)

    for table in keyed:
        change(copied, table, twenty_times)
    write_explorer(copied)
    payload = payload_of(copied)
    assert sum(payload["cells"]["customers"]) == 20 * 3 * 3000
    assert len(payload["map"]["value"]["x"]) == 2500
    assert len(payload["risk"]["churn_probability"]) == 2000
    assert len(json.dumps(payload)) < 1.5 * before


# ---- sets as they come -------------------------------------------------------------


def test_a_table_in_several_files_gives_the_same_page(copied):
    """Spark writes a large table as `name-00001-of-00002.parquet` and so on."""
    page = (copied / "explorer.html").read_bytes()
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text())
    folder = copied / manifest["folder"]
    for table in ("dim_customers", "fct_customer_segments", "rpt_customer_map"):
        whole = pq.read_table(folder / f"{table}.parquet")
        (entry,) = [f for f in manifest["files"] if f["name"] == f"{table}.parquet"]
        manifest["files"].remove(entry)
        for number, rows in enumerate((whole[::2], whole[1::2]), 1):
            name = f"{table}-{number:05d}-of-00002.parquet"
            pq.write_table(rows, folder / name)
            manifest["files"].append({**entry, "name": name})
        (folder / f"{table}.parquet").unlink()
    path.write_text(json.dumps(manifest))
    write_explorer(copied)
    assert (copied / "explorer.html").read_bytes() == page


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("rpt_customer_map", "map"),
        ("rpt_segment_migration", "migration"),
        ("rpt_cohort_retention", "cohorts"),
        ("rpt_second_purchase", "second_purchase"),
        ("rpt_segment_candidates", "candidates"),
        ("rpt_churn_validation", "churn_validation"),
        ("rpt_recommendations", "recommendations"),
    ],
)
def test_what_a_set_lacks_or_has_no_rows_of_is_left_out(demo, table, part):
    manifest = demo.manifest()
    frames = read_figures(PublishedSet(demo.exports, manifest))
    assert part in make_payload(frames, manifest)
    without = {name: frame for name, frame in frames.items() if name != table}
    without = {n: f for n, f in without.items() if not (n == "map" == part)}
    assert part not in make_payload(without, manifest)
    empty = {name: frame.iloc[:0] for name, frame in frames.items() if name == table}
    if part == "map":
        empty["map"] = frames["map"].iloc[:0]
    assert part not in make_payload(frames | empty, manifest)


def test_nothing_published_is_said_with_the_cure(tmp_path):
    with pytest.raises(FileNotFoundError, match="Run a full build first"):
        write_explorer(tmp_path)


def test_no_text_ends_the_script_that_it_stands_in():
    text = embedded_json({"name": "</script><script>alert(1)</script><!--\u2028"})
    assert "<" not in text and "\u2028" not in text
    assert json.loads(text)["name"] == "</script><script>alert(1)</script><!--\u2028"


def test_a_place_of_the_template_in_the_data_stays_text():
    payload = {"input": "{{plotly}}", "note": "{{scripts}}"}
    page = render_page(payload, set_name="{{style}}")
    assert "<title>Customer segments: {{plotly}}</title>" in page
    assert '{"input":"{{plotly}}","note":"{{scripts}}"}' in page


# ---- when it is written ------------------------------------------------------------


def test_equal_sets_give_equal_bytes(copied):
    before = tree(copied)
    (copied / "explorer.html").unlink()
    shutil.rmtree(copied / "charts")
    assert is_due(copied)
    write_explorer(copied)
    assert not is_due(copied)
    assert tree(copied) == before


def test_the_page_is_due_when_it_is_of_an_earlier_code_or_set(copied, monkeypatch):
    assert not is_due(copied)
    monkeypatch.setattr("segmentation.explorer.writing.code_version", lambda: "other")
    assert is_due(copied)
    monkeypatch.undo()
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"folder": "0123456789abcdef"}))
    assert is_due(copied)


def test_a_page_that_cannot_be_drawn_undoes_nothing(copied, monkeypatch):
    def fails(exports):
        raise RuntimeError("no\nspace left")

    monkeypatch.setattr(publishing, "write_explorer", fails)
    (copied / "explorer.html").unlink()
    manifest = (copied / "manifest.json").read_bytes()
    said = publishing._draw_explorer(copied)
    assert said == (
        " The explorer page could not be drawn (RuntimeError: no space left); the "
        "tables are published all the same."
    )
    assert (copied / "manifest.json").read_bytes() == manifest


# ---- the pictures ------------------------------------------------------------------


def test_the_report_shows_the_pictures_that_are_there(demo):
    report = (demo.exports / "summary.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", report)
    assert shown == list(charts_of(demo.exports).values())
    assert shown == [
        f"charts/{name}.png"
        for name in ("shares", "profiles", "map", "evidence", "cohorts")
    ]
    assert "(explorer.html)" in report


def test_without_orders_there_is_no_picture_of_cohorts(mall_customers):
    names = {path.name for path in (mall_customers.exports / "charts").iterdir()}
    assert names == {"shares.png", "profiles.png", "map.png", "evidence.png"}
