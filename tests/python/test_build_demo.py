"""The demo build: green, complete, documented, and right about the planted dirt."""

import csv
import hashlib
from collections import Counter
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from builds import REPOSITORY
from independent import ZERO
from sklearn.metrics import adjusted_rand_score
from test_demo_data import (
    END,
    count_campaign_dirt,
    count_order_dirt,
    count_other_dirt,
    parse,
    read,
)

PERSONAL = {"customer_name", "email", "phone"}
TABLES = {
    "order_lines": ("demo_order_lines", "stg_order_lines"),
    "customers": ("demo_customers", "stg_customers"),
    "customer_events": ("demo_customer_events", "stg_customer_events"),
    "campaigns": ("demo_campaigns", "stg_campaigns"),
    "campaign_contacts": ("demo_campaign_contacts", "stg_campaign_contacts"),
}


@pytest.fixture(scope="module")
def nodes(demo):
    return demo.artifact("manifest.json")["nodes"]


@pytest.fixture(scope="module")
def marts(nodes):
    """The marts by name, from where their files are."""
    return {
        node["name"]: node
        for node in nodes.values()
        if node["resource_type"] == "model"
        and node["original_file_path"].startswith("models/marts/")
    }


@pytest.fixture(scope="module")
def lines():
    """The raw lines with what is wrong with each, judged without the project."""
    table = read("demo_order_lines")
    table["known_id"] = table["customer_id"].str.strip().str.upper()
    table["at"] = parse(table["ordered_at"])
    table["pieces"] = pd.to_numeric(table["quantity"], errors="coerce")
    table["price"] = pd.to_numeric(table["unit_price"], errors="coerce")
    texts = read("demo_order_lines").columns.tolist()
    is_id = table["known_id"].str.fullmatch(r"C\d{5}") | table["known_id"].eq("")
    newest = table.groupby("line_id")["loaded_at"].transform("max")
    wrong = {
        "missing_order_id": table["order_id"].eq(""),
        "malformed_customer_id": ~is_id,
        "missing_date": table["ordered_at"].eq(""),
        "invalid_date": table["at"].isna() & table["ordered_at"].ne(""),
        "implausible_future_date": table["at"].gt("2025-01-01"),
        "invalid_quantity": table["pieces"].isna(),
        "zero_quantity": table["pieces"].eq(0),
        "invalid_price": table["price"].isna(),
        "zero_price": table["price"].eq(0),
        "negative_price": table["price"].lt(0),
        "unknown_line_type": table["line_type"].eq("swap"),
        "negative_quantity_on_sale": table["line_type"].eq("sale")
        & table["pieces"].lt(0),
        "no_exchange_rate": table["currency"].isin(["USD", "GBP"]),
        "superseded_line": table["loaded_at"].lt(newest),
    }
    reasons = pd.DataFrame(wrong)
    assert reasons.sum(axis=1).max() == 1, "the generator plants one fault a line"
    table["reason"] = reasons.idxmax(axis=1).where(reasons.any(axis=1), "")
    again = table["reason"].eq("") & table.duplicated(texts)
    table["reason"] = table["reason"].mask(again, "duplicate_line")
    return table


# ---- what is published -------------------------------------------------------------


def test_manifest_names_one_set_with_true_hashes_and_row_counts(demo):
    manifest = demo.manifest()
    assert set(manifest) == {
        "input", "as_of_date", "currency", "configuration", "folder", "files",
    }  # fmt: skip
    assert manifest["currency"] == "EUR"
    assert (manifest["input"], manifest["as_of_date"]) == ("demo", "2025-01-01")
    assert manifest["configuration"]["segmentations"]["value"]["algorithm"] == "kmeans"
    folder = demo.exports / manifest["folder"]
    assert {path.name for path in demo.exports.iterdir()} == {
        "manifest.json", "summary.md", "explorer.html", "charts", manifest["folder"],
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {
        file["name"] for file in manifest["files"]
    }
    for file in manifest["files"]:
        assert set(file) == {"name", "rows", "sha256"}
        content = (folder / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"], file["name"]
        reader = "read_csv" if file["name"].endswith(".csv") else "read_parquet"
        ((rows,),) = duckdb.sql(
            f"select count(*) from {reader}('{folder / file['name']}')"
        ).fetchall()
        assert rows == file["rows"], file["name"]


def test_every_mart_and_the_registry_is_published(demo, marts):
    published = {file["name"] for file in demo.manifest()["files"]}
    expected = {
        *marts, "registry_rfm_cut_points", "registry_segment_prototypes",
        "registry_segment_candidates", "registry_training_bins",
    }  # fmt: skip
    files = {f"{name}.parquet" for name in expected}
    assert published == {*files, "fct_audiences.csv"}


def test_personal_data_stays_inside(demo):
    exported = demo.exports / demo.manifest()["folder"]
    for path in exported.glob("*.parquet"):
        table = duckdb.sql(f"select * from read_parquet('{path}')")
        assert not PERSONAL & set(table.columns), path.name
        values = "|".join(map(str, table.fetchall())).lower()
        assert "@example." not in values, path.name
        assert "-555-01" not in values, path.name
    text = (exported / "fct_audiences.csv").read_text(encoding="utf-8").lower()
    assert "@example." not in text
    assert "-555-01" not in text
    columns = demo.frame("select * from dev_marts.dim_customers limit 0").columns
    assert set(columns) >= PERSONAL


def test_personal_data_is_exported_where_it_is_asked_for(past_date):
    path = past_date.exports / past_date.manifest()["folder"] / "dim_customers.parquet"
    assert set(duckdb.sql(f"from read_parquet('{path}') limit 0").columns) >= PERSONAL
    with path.with_name("fct_audiences.csv").open(encoding="utf-8", newline="") as file:
        names = {row["customer_name"] for row in csv.DictReader(file)}
    odd = {'=HYPERLINK("http://example.com","x")', "+cmd", "@SUM(A1)", "-2+3", "=1+1"}
    assert {f"'{name}" for name in odd} <= names
    assert not [name for name in names if name[:1] in tuple("=+-@\t\r")]


def test_files_hold_the_marts_in_the_order_of_their_keys(demo, nodes):
    exported = demo.exports / demo.manifest()["folder"]
    for node in nodes.values():
        path = exported / f"{node['name']}.parquet"
        if node["resource_type"] != "model" or not path.exists():
            continue
        key = ", ".join(node["config"]["meta"]["primary_key"])
        file = f"read_parquet('{path}', file_row_number = true)"
        keys = duckdb.sql(f"select {key} from {file} order by file_row_number")
        found = keys.fetchall()
        assert found == duckdb.sql(f"from keys order by {key}").fetchall(), node["name"]
        assert len(set(found)) == len(found)
        assert len(found) == demo.one(f"select count(*) from {node['relation_name']}")


def test_the_database_is_stored_as_older_versions_read_it(demo):
    with demo.connection() as connection:
        ((tags,),) = connection.execute(
            "select tags from duckdb_databases() "
            "where database_name = current_database()"
        ).fetchall()
    assert tags["storage_version"].startswith("v1.2.0")
    header = demo.database.read_bytes()[:16]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:16], "little") == 65  # of 1.2; 2.0 writes 999


# ---- the marts as an interface -----------------------------------------------------


def test_marts_are_public_under_contract_described_and_in_an_exposure(demo, marts):
    exposures = demo.artifact("manifest.json")["exposures"].values()
    exposed = {node for one in exposures for node in one["depends_on"]["nodes"]}
    assert len(marts) >= 10
    for name, node in marts.items():
        assert node["access"] == "public", name
        assert node["config"]["contract"]["enforced"], name
        assert node["unique_id"] in exposed, name
        assert node["description"], name
        actual = demo.frame(f"select * from {node['relation_name']} limit 0").columns
        assert list(actual) == list(node["columns"]), name
        for column, described in node["columns"].items():
            assert described["description"], f"{name}.{column}"
            assert described["data_type"], f"{name}.{column}"


def test_nothing_but_the_marts_is_public(nodes, marts):
    others = [
        node
        for node in nodes.values()
        if node["resource_type"] == "model" and node["name"] not in marts
    ]
    assert len(others) > 30
    for node in others:
        assert node["access"] in {"private", "protected"}, node["name"]
        assert node["description"], node["name"]


# ---- the tests that ran ------------------------------------------------------------


def known_and_run(build):
    """The tests that the build knows, those that it ran, and those it left out.

    Unit tests count where the build was to run them.
    """
    manifest = build.artifact("manifest.json")
    known = {
        name for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test"
    }  # fmt: skip
    results = build.artifact("run_results.json")["results"]
    ran = {r["unique_id"] for r in results if r["status"] in {"pass", "warn"}}
    if ran & set(manifest["unit_tests"]):
        known |= set(manifest["unit_tests"])
    left_out = {
        name for name, versions in manifest["disabled"].items()
        if versions[0]["resource_type"] in {"test", "unit_test"}
    }  # fmt: skip
    return known, known & ran, left_out


def test_every_test_of_the_demo_ran(demo):
    known, ran, _ = known_and_run(demo)
    assert known == ran
    assert len(ran) >= 155


def test_every_test_of_online_retail_ran(online_retail):
    known, ran, _ = known_and_run(online_retail)
    assert known == ran
    assert len(ran) >= 155


def test_no_test_vanished_with_a_disabled_model(demo, online_retail, few_customers):
    """What one input leaves out, because its model is another's, another one runs."""
    ran, left_out = set(), set()
    for finished in (demo, online_retail, few_customers):
        _, its_own, its_rest = known_and_run(finished)
        ran |= its_own
        left_out |= its_rest
    assert left_out <= ran


def test_every_test_is_passed_before_anything_is_published(demo):
    """A test blocks what is downstream of all its parents: so publishing must be."""
    manifest = demo.artifact("manifest.json")
    parents = manifest["parent_map"]
    (publish,) = [name for name in parents if name.endswith(".publish")]
    upstream, waiting = set(), [publish]
    while waiting:
        new = set(parents.get(waiting.pop(), [])) - upstream
        upstream |= new
        waiting += new
    known, _, _ = known_and_run(demo)
    for name in known:
        assert parents[name], f"{name} reads nothing, so that nothing waits for it"
        assert set(parents[name]) <= upstream, name


# ---- nothing lost ------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_every_physical_row_is_used_or_in_the_quarantine(demo, table):
    seed, staged = TABLES[table]
    path = REPOSITORY / "seeds" / "demo" / f"{seed}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        physical = sum(1 for _ in csv.reader(stream)) - 1
    used = demo.one(f"select count(*) from dev_staging.{staged}")
    out = demo.rows(
        "select reason, count(*) from dev_staging.stg_quarantined_rows "
        f"where source_table = '{table}' group by reason"
    )
    assert physical == used + sum(count for _, count in out)

    reported = demo.rows(
        "select measure, reason, row_count from dev_marts.rpt_data_quality "
        f"where source_table = '{table}' and measure <> 'note'"
    )
    assert set(reported) == {
        ("physical", "all", physical),
        ("used", "all", used),
        *(("quarantined", reason, count) for reason, count in out),
    }


def quarantined(demo, table):
    return dict(
        demo.rows(
            "select reason, count(*) from dev_staging.stg_quarantined_rows "
            f"where source_table = '{table}' group by reason"
        )
    )


def test_each_planted_fault_of_a_line_is_quarantined_with_its_reason(demo, lines):
    expected = Counter(lines.loc[lines["reason"].ne(""), "reason"])
    assert quarantined(demo, "order_lines") == expected
    assert len(expected) == 15
    rows = demo.rows(
        "select reason, source_row from dev_staging.stg_quarantined_rows "
        "where source_table = 'order_lines'"
    )
    texts = {}
    for reason, text in rows:
        texts.setdefault(reason, []).append(text)
    for reason, planted in lines[lines["reason"].ne("")].groupby("reason"):
        for line_id, ordered_at in planted[["line_id", "ordered_at"]].to_numpy():
            found = [text for text in texts[reason] if f"line_id={line_id} " in text]
            assert found, (reason, line_id)
            assert all(f"ordered_at={ordered_at} " in text for text in found)


def test_the_quarantine_counts_agree_with_the_generator(demo, lines):
    found = quarantined(demo, "order_lines")
    planted = count_order_dirt(lines.drop(columns="reason"))
    for kind, reason in {
        "malformed customer id": "malformed_customer_id",
        "missing order id": "missing_order_id",
        "future date": "implausible_future_date",
        "zero price": "zero_price",
        "negative price": "negative_price",
        "zero quantity": "zero_quantity",
        "negative quantity on a sale": "negative_quantity_on_sale",
        "unparseable quantity": "invalid_quantity",
        "unparseable price": "invalid_price",
        "unknown line type": "unknown_line_type",
        "line delivered again": "superseded_line",
    }.items():
        assert found[reason] == planted[kind], kind
    assert found["no_exchange_rate"] == planted["USD"] + planted["GBP"]
    bad_dates = found["missing_date"] + found["invalid_date"]
    assert bad_dates == planted["unparseable date"]


def test_planted_faults_of_customers_and_events_are_quarantined(demo):
    customers, events = read("demo_customers"), read("demo_customer_events")
    planted = count_other_dirt(customers, events)
    assert quarantined(demo, "customers") == {
        "missing_customer_id": planted["missing customer id"],
        "duplicate_customer": planted["same customer with other text"]
        + planted["exact duplicate customers"],
    }
    identifier, at = events["customer_id"], events["event_at"]
    assert quarantined(demo, "customer_events") == {
        "missing_customer_id": identifier.eq("").sum(),
        "malformed_customer_id": identifier.eq("visitor").sum(),
        "missing_date": at.eq("").sum(),
        "invalid_date": (parse(at).isna() & at.ne("")).sum(),
        "missing_event_type": planted["blank event type"],
    }
    notes = dict(
        demo.rows(
            "select reason, row_count from dev_marts.rpt_data_quality "
            "where measure = 'note' and source_table = 'customers'"
        )
    )
    assert notes["implausible_ages"] == 20  # 0, 7, 140 and -3, five times each
    assert notes["customers_who_share_an_email"] == 2 * planted["shared e-mail"]
    assert notes["prospects"] == 150  # 5 % of 3,000


def test_planted_faults_of_campaigns_and_contacts_are_quarantined(demo):
    planted = count_campaign_dirt(
        read("demo_campaigns"), read("demo_campaign_contacts")
    )
    assert quarantined(demo, "campaigns") == planted["campaigns"]
    assert quarantined(demo, "campaign_contacts") == planted["contacts"]


def test_odd_names_survive_as_text(demo):
    raw = read("demo_customers").drop_duplicates("customer_id")
    raw = raw[raw["customer_id"].ne("")].set_index("customer_id")["customer_name"]
    odd = raw[raw.str.contains(r'[<"=@+\n]|^-|[^\x00-\x7F]', regex=True)]
    found = dict(
        demo.rows("select customer_id, customer_name from dev_marts.dim_customers")
    )
    assert {'=HYPERLINK("http://example.com","x")', "<script>alert(1)</script>"} <= set(
        odd
    )
    records = read("demo_customers").drop_duplicates()["customer_id"].str.upper()
    several = set(records[records.duplicated(keep=False)])
    assert len(odd) > 400
    for customer, name in odd.items():
        if customer.upper() not in several:
            assert found[customer] == name, customer


# ---- figures -----------------------------------------------------------------------


def test_customers_with_sales_only_have_the_figures_of_a_plain_sum(demo, lines):
    """All whose used lines are sales and fees: no netting, so a sum is enough."""
    used = lines[lines["reason"].eq("") & lines["known_id"].ne("")]
    kinds = used.groupby("known_id")["line_type"].agg(set)
    plain = set(kinds[kinds.map(lambda found: found <= {"sale", "fee"})].index)
    expected = {}
    sales = used[used["line_type"].eq("sale") & used["known_id"].isin(plain)]
    for customer, own in sales.groupby("known_id"):
        net = sum(
            (
                int(line.quantity) * Decimal(line.unit_price)
                - Decimal(line.discount_amount or 0)
                for line in own.itertuples()
            ),
            ZERO,
        )
        days = (END + pd.Timedelta(days=1) - own["at"].dt.normalize()).dt.days
        expected[customer] = (days.min(), own["order_id"].nunique(), net)
    found = {
        customer: tuple(values)
        for customer, *values in demo.rows(
            "select customer_id, recency_days, frequency, monetary "
            "from dev_marts.dim_customers"
        )
        if customer in expected
    }
    assert len(expected) > 1500
    assert found == expected


def test_the_marts_agree_with_each_other(demo):
    assert demo.rows("select distinct as_of_date from dev_marts.dim_customers") == [
        (pd.Timestamp("2025-01-01").date(),)
    ]
    assert_marts_reconcile(demo)


def assert_marts_reconcile(finished):
    customers, net, back, monetary = finished.rows(
        "select count(*), sum(order_net_amount), sum(money_back_amount), sum(monetary) "
        "from dev_marts.dim_customers"
    )[0]
    assert monetary == net - back
    assert net == finished.one(
        "select sum(net_amount) from dev_marts.fct_orders where not is_guest"
    )
    for segmentation, *totals in finished.rows(
        "select segmentation, sum(customer_count), sum(revenue), sum(order_count) "
        "from dev_marts.rpt_segment_summary group by segmentation"
    ):
        purchases = finished.one(
            "select count(*) from dev_marts.fct_orders "
            "where is_purchase and not is_guest"
        )
        assert totals == [customers, monetary, purchases], segmentation
        assert customers == finished.one(
            "select count(distinct customer_id) from dev_marts.fct_customer_segments "
            f"where segmentation = '{segmentation}'"
        )


def test_segments_find_the_planted_personas_better_than_chance(demo, capsys):
    """Reported, not demanded: personas are not all about recency and money."""
    personas = read("demo_personas").set_index("customer_id")["persona"]
    figures = {}
    for segmentation in ("value", "rfm"):
        segments = dict(
            demo.rows(
                "select customer_id, segment_id from dev_marts.fct_customer_segments "
                f"where segmentation = '{segmentation}'"
            )
        )
        found = [segments[customer] for customer in personas.index]
        figures[segmentation] = adjusted_rand_score(personas, found)
    with capsys.disabled():
        print("\nadjusted Rand index against the planted personas:", figures)
    assert all(figure > 0 for figure in figures.values())


def test_the_report_beside_the_exports_has_the_figures_of_the_marts(demo):
    report = (demo.exports / "summary.md").read_text(encoding="utf-8")
    customers, revenue = demo.rows(
        "select count(*), sum(monetary) from dev_marts.dim_customers"
    )[0]
    assert f"{customers:,} customers with {revenue:,.0f} EUR net revenue." in report
    assert "This is the first published build" in report
    (moved,) = demo.rows(
        "select sum(customer_count) filter (cause not in ('stayed', 'entered')), "
        "sum(customer_count) filter (cause <> 'entered') "
        "from dev_marts.rpt_segment_migration where segmentation = 'value' "
        "and month_end_date = '2024-12-31'"
    )
    changed, before = map(int, moved)
    assert f"In the month to 2024-12-31, {changed:,} of {before:,} customers" in report
    assert "summary.md" not in str(demo.manifest())
