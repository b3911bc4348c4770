"""The semantic model of the Power BI project: made from the contracts, as Microsoft's
tools read it, and its measures against figures computed in SQL and other marts."""

import copy
import re
from datetime import date

import pytest
import yaml
from builds import REPOSITORY
from conftest import fixture_of
from dax import Dax
from power_bi import (
    frames,
    m_faults,
    needs_node,
    needs_object_model,
    object_model,
    published_set,
    type_faults,
)
from test_attribute_inputs import mall_customers

from segmentation.power_bi import project as project_module
from segmentation.power_bi.__main__ import main
from segmentation.power_bi.model import read_model, references
from segmentation.power_bi.project import (
    COMMITTED_SEGMENTATION,
    DEFAULT_DATA_FOLDER,
    models,
    project_files,
)
from segmentation.power_bi.tmdl import semantic_model_files

SPECIFICATION = REPOSITORY / "powerbi" / "specification"
mall_customers_fixture = fixture_of(mall_customers.__name__)
TEXTS = {
    "Segment Colour", "Segment Name", "Segment Marker", "Segmentation Message",
    "Structure Verdict", "Health Verdict", "Churn Verdict", "Value Verdict",
    "Self-Check Verdict",
}  # fmt: skip
FOLDER = DEFAULT_DATA_FOLDER.format(input="demo")


@pytest.fixture(scope="module")
def manifest(demo):
    return demo.artifact("manifest.json")


@pytest.fixture(scope="module")
def both(manifest):
    return models(manifest, REPOSITORY)


@pytest.fixture(scope="module")
def segments(both):
    return both["segments"]


@pytest.fixture(scope="module")
def on_demo(demo, segments):
    return Dax(segments, frames(segments, published_set(demo)))


def specification() -> tuple[dict, dict]:
    return tuple(
        yaml.safe_load((SPECIFICATION / name).read_text(encoding="utf-8"))
        for name in ("tables.yml", "measures.yml")
    )


# --- made from the contracts


def committed(name: str) -> dict[str, str]:
    folder = REPOSITORY / "powerbi" / name
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and ".pbi" not in path.parts
    }


def made(model) -> dict[str, str]:
    return project_files(
        model,
        root=REPOSITORY,
        data_folder=FOLDER,
        primary_segmentation=COMMITTED_SEGMENTATION[model.name],
    )


@pytest.mark.parametrize("name", ["segments", "attributes"])
def test_the_committed_project_is_what_the_marts_make_it(both, name):
    stale = sorted(
        path for path, _ in set(made(both[name]).items()) ^ set(committed(name).items())
    )
    assert not stale, f"make powerbi-project, and commit: {stale[:5]}"


def test_a_changed_contract_makes_the_committed_project_stale(manifest):
    changed = copy.deepcopy(manifest)
    node = "model.customer_segmentation.fct_orders"
    changed["nodes"][node]["columns"]["net_amount"]["data_type"] = "double"
    model = models(changed, REPOSITORY)["segments"]
    assert made(model) != committed("segments")


def test_generating_twice_gives_the_same(manifest, segments):
    again = models(copy.deepcopy(manifest), REPOSITORY)["segments"]
    assert made(again) == made(segments)


def test_personal_data_is_not_in_the_model(manifest, both):
    personal = {
        (node["name"], column)
        for node in manifest["nodes"].values()
        for column, properties in node.get("columns", {}).items()
        if properties.get("config", {}).get("meta", {}).get("personal_data")
    }
    assert len(personal) == 6
    for model in both.values():
        here = {(t.mart, column.source) for t in model.tables for column in t.columns}
        assert not here & personal


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        (0, lambda t: t["tables"]["fct_orders"]["columns"].update(x="X"), "no column"),
        (0, lambda t: t["tables"].update(fct_sales={"name": "Sales"}), "fct_sales"),
        (0, lambda t: t["tables"]["fct_orders"].update(hidden=[]), "unknown key"),
        (
            0,
            lambda t: t["tables"]["fct_orders"]["columns"].update(channel="Order"),
            "both called Order",
        ),
        (
            1,
            lambda m: m["folders"]["Revenue"]["Revenue"].update(dax="SUM ( A[X] )"),
            "Revenue: .*neither a column nor a measure",
        ),
        (
            1,
            lambda m: m["folders"]["Revenue"]["Revenue"].update(dax="[Revenu]"),
            "Revenue: Revenu is neither",
        ),
    ],
)  # fmt: skip
def test_a_wrong_specification_is_refused_with_its_place(manifest, part, change, said):
    given = specification()
    change(given[part])
    with pytest.raises(ValueError, match=said):
        read_model(manifest, *given, name="segments", has_orders=True)


# --- against the files


@pytest.mark.parametrize(
    ("build", "name"),
    [
        ("demo", "segments"),
        ("online_retail", "segments"),
        ("mall_customers", "attributes"),
    ],
)
def test_types_are_those_of_the_exported_files(request, both, build, name):
    assert type_faults(both[name], published_set(request.getfixturevalue(build))) == []


def test_a_type_that_is_not_that_of_the_file_is_found(manifest, demo):
    changed = copy.deepcopy(manifest)
    columns = changed["nodes"]["model.customer_segmentation.fct_orders"]["columns"]
    columns["net_amount"]["data_type"] = "bigint"
    columns["nett_amount"] = columns["net_amount"] | {"name": "nett_amount"}
    model = models(changed, REPOSITORY)["segments"]
    assert type_faults(model, published_set(demo)) == [
        "Orders[Net Amount]: bigint, but DECIMAL in the file",
        "Orders[Nett Amount]: bigint, but absent in the file",
    ]


@pytest.mark.parametrize("build", ["demo", "online_retail"])
def test_only_guests_have_no_row_on_the_one_side(request, segments, build):
    data = frames(segments, published_set(request.getfixturevalue(build)))
    for link in segments.relationships:
        many = set(data[link.from_table][link.from_column])
        one = data[link.to_table][link.to_column]
        assert one.is_unique and one.notna().all()
        orphans = many - set(one)
        if link.from_table == "Orders" and link.to_table == "Customers":
            orphans = {key for key in orphans if key is not None and key == key}
        assert not orphans, f"{link}: {sorted(map(str, orphans))[:3]}"


@pytest.mark.parametrize("build", ["demo", "online_retail"])
def test_lists_of_values_are_complete(request, segments, build):
    data = frames(segments, published_set(request.getfixturevalue(build)))
    for table in segments.tables:
        for column in table.columns:
            if column.order_of:
                sorted_column = table.column(column.order_of).name
                found = set(data[table.name][sorted_column].dropna())
                assert found <= set(column.values), f"{table.name}[{sorted_column}]"


# --- Microsoft's tools


@pytest.fixture(scope="module")
def tom():
    with object_model() as served:
        yield served


@pytest.fixture
def write(tmp_path):
    def written(files):
        for path, text in files.items():
            (tmp_path / "model" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "model" / path).write_text(text, encoding="utf-8", newline="\n")
        return tmp_path / "model"

    return written


@needs_object_model
@pytest.mark.parametrize("name", ["segments", "attributes"])
def test_the_object_model_reads_the_model_and_writes_the_same(
    tom, both, write, tmp_path, name
):
    files = semantic_model_files(both[name], data_folder=FOLDER)
    assert tom.fault(write(files)) is None
    written = tom.exported(tmp_path / "exported")
    source = {
        path.removeprefix("definition/"): text
        for path, text in files.items()
        if path.endswith(".tmdl")
    }
    differing = {
        path
        for path in written.keys() | source.keys()
        if written.get(path) != source.get(path)
    }
    assert not differing


@needs_object_model
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tables/Orders.tmdl", "dataType: decimal", "dataType: money"),
        ("tables/Dates.tmdl", "sortByColumn: 'Month Number'", "sortByColumn: 'Moon'"),
        ("relationships.tmdl", "toColumn: Dates.Date", "toColumn: Dates.Dat"),
        ("tables/Key Measures.tmdl", "measure Purchases", "measure Revenue"),
        ("tables/Customers.tmdl", "\tcolumn Age", "  column Age"),
    ],
    ids=["a type", "a sort column", "a relationship", "a name twice", "blanks"],
)
def test_the_object_model_refuses_a_planted_error(tom, segments, write, file, old, new):
    files = semantic_model_files(segments, data_folder=FOLDER)
    path = f"definition/{file}"
    assert old in files[path]
    assert tom.fault(write(files | {path: files[path].replace(old, new, 1)}))


@needs_object_model
def test_a_table_that_the_model_does_not_list_shows_in_the_round_trip(
    tom, segments, write, tmp_path
):
    files = semantic_model_files(segments, data_folder=FOLDER)
    path = "definition/model.tmdl"
    stale = files[path].replace("ref table Orders\n", "")
    assert tom.fault(write(files | {path: stale})) is None
    assert tom.exported(tmp_path / "exported")["model.tmdl"] != stale


@needs_node
@pytest.mark.parametrize("name", ["segments", "attributes"])
def test_every_query_is_m(both, name):
    files = semantic_model_files(both[name], data_folder=FOLDER)
    assert m_faults(files) == {}


@needs_node
def test_a_query_that_is_not_m_is_found(segments):
    files = semantic_model_files(segments, data_folder=FOLDER)
    path = "definition/tables/Orders.tmdl"
    broken = files | {path: files[path].replace("in\n", "inn\n")}
    assert list(m_faults(broken)) == ["Orders"]


# --- rules for good models


@pytest.mark.parametrize("name", ["segments", "attributes"])
def test_the_model_follows_the_usual_rules(both, name):
    model = both[name]
    files = semantic_model_files(model, data_folder=FOLDER)
    text = "\n".join(files.values())
    assert "discourageImplicitMeasures" in text
    assert "crossFilteringBehavior" not in text and "Cardinality" not in text
    assert "```" not in text and "\r" not in text and "\ufeff" not in text
    assert not re.search(r"^ ", files["definition/model.tmdl"], re.M)
    assert text.count("summarizeBy: none") == sum(len(t.columns) for t in model.tables)
    assert set(re.findall(r"[\w.]*\((?:DataFolder|.?[A-Z]:)", text)) == {
        "Folder.Files(DataFolder"
    }, "one static source, and no path that is computed"
    types = {(t.name, c.name): c.data_type for t in model.tables for c in t.columns}
    marked = {(t.name, c.name) for t in model.tables for c in t.columns if c.is_key}
    for link in model.relationships:
        one = (link.to_table, link.to_column)
        assert one in marked
        assert types[link.from_table, link.from_column] == types[one]
    assert [t.name for t in model.tables if t.is_calendar] == ["Dates"] * (
        name == "segments"
    )
    keys = {(link.from_table, link.from_column) for link in model.relationships}
    for table in model.tables:
        assert table.description
        for column in table.columns:
            assert column.description
            assert column.name == column.name.strip() and column.name[0].isupper()
            if column.data_type not in ("string", "boolean"):
                assert column.format, f"{table.name}[{column.name}]"
            is_date = column.data_type == "date"
            if (table.name, column.name) in keys and not is_date:
                assert column.is_hidden, f"{table.name}[{column.name}]"


@pytest.mark.parametrize("name", ["segments", "attributes"])
def test_measures_follow_the_usual_rules(both, name):
    model = both[name]
    columns = {(t.name, c.name) for t in model.tables for c in t.columns}
    (home,) = [table for table in model.tables if table.measures]
    assert {t.name for t in model.tables}.isdisjoint(model.measures)
    assert {c.name for c in home.columns}.isdisjoint(model.measures)
    for measure in model.measures.values():
        used, measures = references(measure.dax)
        assert used <= columns and measures <= set(model.measures)
        assert measure.folder and len(measure.description) <= 250
        assert measure.format or measure.name in TEXTS
        assert "/" not in re.sub(r'"[^"]*"', "", measure.dax), "use DIVIDE"
        assert "IFERROR" not in measure.dax
        assert max(map(len, measure.dax.splitlines())) <= 110


def test_every_mart_is_in_the_model_or_left_out_on_purpose(manifest, segments):
    marts = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    }
    left_out = marts - {table.mart for table in segments.tables}
    assert left_out == {
        "fct_customer_segment_months",  # large; RFM by month and the moves are there
        "rpt_customer_map",  # for the explorer
        "rpt_history",
        "rpt_map_loadings",
        "rpt_purchase_models",
        "rpt_segment_summary",  # measures say it, under any filter
    }


# --- what measures show


def filters_of(row: dict, data: dict) -> dict:
    """The filters that a row of Self Check names."""
    found = {
        column: row[name]
        for column, name in {
            ("Segmentations", "Segmentation"): "Segmentation",
            ("Segments", "Segment Key"): "Segment Key",
            ("Customers", "Country"): "Country",
        }.items()
        if row[name] is not None
    }
    if row["First Date"] is not None:
        days = [
            day
            for day in data["Dates"]["Date"]
            if row["First Date"] <= day <= row["Last Date"]
        ]
        found["Dates", "Date"] = days
    return found


def differences(dax: Dax, data: dict, only: set | None = None) -> list[str]:
    """The figures of measures that are not those that SQL gives."""
    faults = []
    for row in data["Self Check"].to_dict("records"):
        if only and row["Measure"] not in only:
            continue
        shown = dax.measure(row["Measure"], filters_of(row, data))
        expected = row["Expected Value"]
        if (shown or 0) != pytest.approx(expected or 0, rel=1e-9, abs=2e-6):
            faults.append(
                f"{row['Measure']}, {row['Filters']}: {shown}, not {expected}"
            )
    return faults


@pytest.mark.parametrize(
    ("build", "name"),
    [
        ("demo", "segments"),
        pytest.param("online_retail", "segments", marks=pytest.mark.slow),
        ("mall_customers", "attributes"),
    ],
)
def test_every_measure_shows_what_sql_computes(request, both, build, name):
    model = both[name]
    data = frames(model, published_set(request.getfixturevalue(build)))
    checked = data["Self Check"]
    assert set(checked["Measure"]) == {
        measure.name
        for measure in model.measures.values()
        if measure.is_figure and measure.folder != "Self-check"
    }
    assert {"no filter", "segmentation", "segment"} <= set(checked["Filters"])
    dax = Dax(model, data)
    assert differences(dax, data) == []


@pytest.mark.parametrize(
    ("measure", "wrong"),
    [
        ("Revenue", "SUM ( Orders[Net Amount] )"),
        ("Purchases", "COUNTROWS ( Orders )"),
        ("Active Customers", "DISTINCTCOUNTNOBLANK ( Orders[Customer Key] )"),
        ("Share of Customers", "DIVIDE ( [Customer Count], [Customer Count] )"),
        ("Moved In", "SUM ( 'Segment Moves'[Customers] )"),
        ("Value at Risk", "SUM ( Customers[Value at Risk] )"),
    ],
)
def test_a_wrong_measure_is_found(on_demo, measure, wrong):
    assert differences(on_demo.changed(measure, wrong), on_demo.frames, {measure})


def test_a_wrong_figure_in_sql_is_found(on_demo):
    checked = on_demo.frames["Self Check"].copy()
    chosen = (checked["Measure"] == "Revenue") & (checked["Filters"] == "country")
    checked.loc[chosen, "Expected Value"] += 0.01
    data = on_demo.frames | {"Self Check": checked}
    faults = differences(on_demo, data, {"Revenue"})
    assert len(faults) == 1 and faults[0].startswith("Revenue, country: ")


def test_the_page_says_that_all_figures_agree(mall_customers, both):
    model = both["attributes"]
    data = frames(model, published_set(mall_customers))
    number = len(data["Self Check"])
    agree = f"All {number} figures agree with those computed in SQL."
    assert Dax(model, data).measure("Self-Check Verdict") == agree
    row = data["Self Check"].index[data["Self Check"]["Measure"] == "Customer Count"][0]
    data["Self Check"].loc[row, "Expected Value"] += 1
    differ = f"1 of {number} figures differ from those computed in SQL: see the list."
    assert Dax(model, data).measure("Self-Check Verdict") == differ


def rows_of(build, sql: str) -> list[dict]:
    frame = build.frame(sql)
    return frame.to_dict("records")


def same(shown, published) -> bool:
    published = None if published is None else float(published)
    return (shown or 0) == pytest.approx(published or 0, rel=2e-6, abs=1e-4)


def test_measures_by_segment_are_those_of_the_segment_summary(demo, on_demo):
    measures = {
        "Customer Count": "customer_count",
        "Share of Customers": "customer_share",
        "Lapsed Customers": "lapsed_customer_count",
        "Purchases": "order_count",
        "Net Spend": "revenue",
        "Share of Net Spend": "revenue_share",
        "Average Order Value": "average_order_amount",
        "Average Frequency": "mean_frequency",
        "Average Recency Days": "mean_recency_days",
        "Lifetime Value": "lifetime_value",
        "Value at Risk": "value_at_risk",
        "Average Churn Probability": "mean_churn_probability",
    }
    summary = rows_of(demo, "select * from dev_marts.rpt_segment_summary")
    assert len(summary) > 20
    for row in summary:
        chosen = {
            ("Segmentations", "Segmentation"): row["segmentation"],
            ("Segments", "Segment"): row["segment_name"],
        }
        for measure, column in measures.items():
            shown = on_demo.measure(measure, chosen)
            assert same(shown, row[column]), (measure, row["segment_id"])


def test_measures_by_month_are_those_of_the_segment_trends(demo, on_demo):
    measures = {
        "Customers Then": "customer_count",
        "Revenue Then": "revenue",
        "Moved In": "entry_count",
        "Moved Out": "exit_count",
        "Net Movement": "net_count",
    }
    sql = (
        "select * from dev_marts.rpt_segment_trends "
        "where month_end_date >= date '2024-10-01'"
    )
    trends = rows_of(demo, sql)
    assert len(trends) > 50
    for row in trends:
        chosen = {
            ("Segments", "Segment Key"): row["segment_id"],
            ("Dates", "Month Start"): row["month_end_date"].replace(day=1),
        }
        for measure, column in measures.items():
            shown = on_demo.measure(measure, chosen)
            assert same(shown, row[column]), (measure, row["segment_id"])


def test_measures_of_retention_are_those_of_the_marts(demo, on_demo):
    measures = {
        "Buying Customers": "customer_count",
        "Customers Active Before": "active_before_count",
        "Retained Customers": "retained_count",
        "Retention Rate": "retention_rate",
        "Churn Rate": "churn_rate",
    }
    columns = {
        "segment": ("Segments", "Segment Key"),
        "country": ("Customers", "Country"),
        "acquisition_channel": ("Customers", "Acquisition Channel"),
    }
    groups = rows_of(
        demo, "select * from dev_marts.rpt_retention where group_id <> 'unknown'"
    )
    assert {row["group_kind"] for row in groups} == {"all", *columns}
    for row in groups:
        kind = row["group_kind"]
        chosen = {} if kind == "all" else {columns[kind]: row["group_id"]}
        for measure, column in measures.items():
            shown = on_demo.measure(measure, chosen)
            assert same(shown, row[column]), (measure, row["group_id"])


def test_measures_of_cohorts_audiences_and_campaigns_are_those_of_the_marts(
    demo, on_demo
):
    sql = "select * from dev_marts.rpt_cohort_retention where is_complete"
    for row in rows_of(demo, f"{sql} and month_number in (1, 6)"):
        chosen = {
            ("Cohorts", "Cohort"): row["cohort_month"],
            ("Cohorts", "Months Since"): row["month_number"],
        }
        shown = on_demo.measure("Cohort Retention Rate", chosen)
        assert same(shown, row["retention_rate"])
    for row in rows_of(demo, "select * from dev_marts.rpt_audiences"):
        chosen = {("Audiences", "Audience Key"): row["audience_id"]}
        for measure, column in {
            "Contactable Customers": "contactable_customer_count",
            "Customers to Contact": "treatment_count",
            "Audience Worth": "expected_worth",
        }.items():
            assert same(on_demo.measure(measure, chosen), row[column])
    campaigns = rows_of(demo, "select * from dev_marts.rpt_campaign_lift")
    assert {row["status"] for row in campaigns} > {"ok"}
    for row in campaigns:
        chosen = {("Campaigns", "Campaign Key"): row["campaign_id"]}
        assert same(on_demo.measure("Control-Group Lift", chosen), row["lift"])
    measured = rows_of(
        demo,
        "select distinct action, uplift from dev_marts.rpt_recommendations "
        "where uplift_status = 'measured'",
    )
    assert measured
    for row in measured:
        chosen = {("Campaigns", "Action"): row["action"]}
        assert same(on_demo.measure("Control-Group Lift", chosen), row["uplift"])


def test_segments_of_several_segmentations_are_blank_with_a_message(on_demo):
    two = {("Segments", "Segment Key"): ["value-1", "behaviour-1"]}
    for measure in ("Customer Count", "Revenue", "Share of Net Spend", "Moved In"):
        assert on_demo.measure(measure, two) is None
    assert on_demo.measure("Segmentation Message", two).startswith("Choose one")
    one = {("Segments", "Segment Key"): ["value-1", "value-2"]}
    assert on_demo.measure("Segmentation Message", one) == "Segmentation: value"
    assert on_demo.measure("Customer Count", one) == sum(
        on_demo.measure("Customer Count", {("Segments", "Segment Key"): segment})
        for segment in ("value-1", "value-2")
    )


def test_guests_count_until_segments_are_chosen(demo, on_demo):
    sql = "select cast(sum(net_amount) as double) from dev_marts.fct_orders"
    chosen = {("Segmentations", "Segmentation"): "value"}
    assert same(on_demo.measure("Revenue"), demo.one(sql))
    assert same(on_demo.measure("Revenue", chosen), demo.one(sql))
    by_segment = [
        on_demo.measure("Revenue", chosen | {("Segments", "Segment"): name}) or 0
        for name in set(on_demo.frames["Segments"]["Segment"])
    ]
    assert same(sum(by_segment), demo.one(f"{sql} where not is_guest"))


def test_texts_and_colours_follow_what_is_chosen(demo, on_demo):
    value = {("Segmentations", "Segmentation"): "value"}
    ((colour,),) = demo.rows(
        "select colour from dev_marts.dim_segments where segment_id = 'value-2'"
    )
    ((customer,),) = demo.rows(
        "select min(customer_id) from dev_marts.fct_customer_segments "
        "where segment_id = 'value-2'"
    )
    in_it = value | {("Customers", "Customer"): customer}
    assert on_demo.measure("Segment Colour", in_it) == colour
    of_segment = value | {("Segments", "Segment Key"): "value-2"}
    assert on_demo.measure("Segment Colour", of_segment) == colour
    assert on_demo.measure("Segment Marker", of_segment | in_it) == "■"
    assert on_demo.measure("Segment Name", in_it) == "High-value customers"
    elsewhere = value | {("Segments", "Segment Key"): "value-3"}
    assert on_demo.measure("Segment Marker", elsewhere | in_it) is None
    assert on_demo.measure("Structure Verdict", value).startswith("Yes: ")
    rules = {("Segmentations", "Segmentation"): "rfm"}
    assert on_demo.measure("Structure Verdict", rules).startswith("Fixed by rules")
    assert on_demo.measure("Structure Verdict").startswith("Choose one")
    assert on_demo.measure("Health Verdict").startswith("Choose one")
    assert on_demo.measure("Churn Verdict").startswith("Yes. skill")
    assert on_demo.measure("Value Verdict").startswith("Yes, ")
    as_of = demo.one("select max(as_of_date) from dev_marts.dim_customers")
    assert (
        on_demo.measure("As-of Date", {("Customers", "Age"): 30}) == as_of.toordinal()
    )


def test_times_are_compared_with_as_long_a_time(on_demo):
    """By hand: whole months with whole months, days with days, and no day to come."""
    data = on_demo.frames["Orders"]
    days = on_demo.frames["Dates"]["Date"]

    def revenue(first, last):
        chosen = data[(data["Order Date"] >= first) & (data["Order Date"] <= last)]
        return float(chosen["Net Amount"].sum())

    def shown(measure, first, last):
        chosen = [day for day in days if first <= day <= last]
        return on_demo.measure(measure, {("Dates", "Date"): chosen})

    february = (date(2024, 2, 1), date(2024, 2, 29))
    january = revenue(date(2024, 1, 1), date(2024, 1, 31))
    assert same(shown("Revenue Previous Period", *february), january)
    a_week = (date(2024, 3, 4), date(2024, 3, 10))
    week_before = revenue(date(2024, 2, 26), date(2024, 3, 3))
    assert same(shown("Revenue Previous Period", *a_week), week_before)
    february_2023 = revenue(date(2023, 2, 1), date(2023, 2, 28))
    assert same(shown("Revenue Previous Year", *february), february_2023)
    rolling = revenue(date(2023, 12, 1), date(2024, 2, 29))
    assert same(shown("Revenue Rolling 3 Months", *february), rolling)
    year = revenue(date(2023, 3, 1), date(2024, 2, 29))
    assert same(shown("Revenue Rolling 12 Months", *february), year)
    to_come = (date(2025, 2, 1), date(2025, 2, 28))
    for measure in ("Revenue Previous Period", "Revenue Rolling 12 Months"):
        assert shown(measure, *to_come) is None


# --- the command


@pytest.fixture
def project(demo, manifest, tmp_path, monkeypatch):
    """A folder that is the project to the command; its contracts are the demo's."""
    (tmp_path / "powerbi").mkdir()
    (tmp_path / "powerbi" / "specification").symlink_to(SPECIFICATION)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "demo").symlink_to(demo.exports)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project_module, "read_contracts", lambda root: manifest)
    return tmp_path


def test_the_command_writes_the_project_of_the_input_with_its_folder(
    project, capsys, monkeypatch
):
    monkeypatch.setattr(project_module, "_as_windows_has_it", lambda folder: None)
    assert main(["--input", "demo", "--data-folder", "D:\\data\\demo"]) == 0
    said = capsys.readouterr().out
    assert [line[:2] for line in said.splitlines()] == ["1.", "2.", "3."]
    assert "D:\\data\\demo\\" in said and "segments.pbip" in said
    written = project / "powerbi" / "out" / "demo"
    model = written / "segments.SemanticModel" / "definition"
    parameter = (model / "expressions.tmdl").read_text(encoding="utf-8")
    assert '"D:\\data\\demo\\" meta' in parameter
    assert (written / "segments.Report" / "definition.pbir").is_file()


def test_a_second_project_leaves_nothing_of_the_first(project):
    assert main(["--input", "demo"]) == 0
    tables = project / "powerbi/out/demo/segments.SemanticModel/definition/tables"
    (tables / "Gone.tmdl").write_text("table Gone")
    assert main(["--input", "demo"]) == 0
    assert not (tables / "Gone.tmdl").exists()


def test_on_windows_the_folder_is_found(project, capsys, monkeypatch):
    monkeypatch.setattr(
        project_module, "_as_windows_has_it", lambda path: f"W:\\{path.name}"
    )
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1. Open W:\\segments.pbip in Power BI Desktop")
    assert "It reads W:\\demo\\;" in said


def test_what_is_not_published_is_said_with_the_cure(project, capsys):
    assert main(["--input", "shop"]) == 1
    said = capsys.readouterr().err
    assert "nothing is published for shop" in said and "make build INPUT=shop" in said
