"""Wrong configuration stops the build at its start and says what to do."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml
from builds import REPOSITORY, build, environment_of, shared, write_lines
from conftest import fixture_of

KNOWN = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["vars"]


def segmentation(**changes):
    return {"segmentations": {"value": KNOWN["segmentations"]["value"] | changes}}


def without(key):
    value = dict(KNOWN["segmentations"]["value"])
    del value[key]
    return {"segmentations": {"value": value}}


def feature(name, **preparation):
    features = {name: {"transform": "log1p", "scaling": "standard"} | preparation}
    return segmentation(features=features)


STAGING = REPOSITORY / "models/staging"
# what is given, and what the message must name: the thing, and the cure
WRONG = {
    "unknown input": ({"input": "shopify"}, ["'shopify'", "Known inputs", "template"]),
    "unknown var": ({"cluster_cuont": 4}, ["'cluster_cuont'", "cluster_count"]),
    "one cluster": ({"cluster_count": 1}, ["'cluster_count' is '1'", "2 to 30"]),
    "text for k": ({"cluster_count": "many"}, ["cluster_count", "'many'", "'auto'"]),
    "31 clusters": ({"cluster_count": 31}, ["cluster_count", "'31'", "2 to 30"]),
    "no clusters": ({"cluster_count": 0}, ["cluster_count", "'0'", "2 to 30"]),
    "no date": ({"as_of_date": "last week"}, ["as_of_date", "last week", "2024-12-31"]),
    "impossible day": ({"as_of_date": "2024-02-30"}, ["as_of_date", "2024-02-30"]),
    "policy": ({"returns": "nett"}, ["'returns'", "'nett'", "net or ignore"]),
    "fees": ({"fees": True}, ["'fees'", "exclude or keep"]),
    "zero prices": ({"zero_prices": "drop"}, ["zero_prices", "exclude or keep"]),
    "purchase model": ({"purchase_model": "pareto"}, ["'pareto'", "mbg_nbd or bg_nbd"]),
    "discount rate": (
        {"annual_discount_rate": 10}, ["annual_discount_rate", "'10'", "0 to 1"],
    ),
    "margin rate": ({"margin_rate": "40 %"}, ["margin_rate", "'40 %'", "0 to 1"]),
    "budget": ({"budget": -5}, ["'budget'", "'-5'", "null or a whole number"]),
    "value horizon": (
        {"value_horizon_days": "a year"}, ["value_horizon_days", "whole number"],
    ),
    "no horizon": ({"value_horizon_days": 0}, ["value_horizon_days", "'0'", "above 0"]),
    "refit policy": (
        {"refit_policy": "sometimes"}, ["'sometimes'", "auto or always or never"],
    ),
    "no drift": ({"refit_drift_limit": 0}, ["refit_drift_limit", "'0'", "above 0"]),
    "age": ({"refit_after_days": "old"}, ["'refit_after_days'", "null or a whole"]),
    "duplicates": ({"duplicate_lines": "first"}, ["duplicate_lines", "drop or keep"]),
    "time zone": ({"time_zone": "Berlin"}, ["time_zone", "'Berlin'", "Europe/Berlin"]),
    "days": ({"max_silent_days": -1}, ["max_silent_days", "'-1'", "whole number"]),
    "horizon": ({"churn_horizon_days": "soon"}, ["churn_horizon_days", "'auto'"]),
    "segmentation key": (
        segmentation(cluster_cuont=4),
        ["'value'", "'cluster_cuont'", "maximum_cluster_count"],
    ),
    "segmentation lacks": (without("features"), ["'value'", "lacks", "'features'"]),
    "algorithm": (segmentation(algorithm="magic"), ["'value'", "'magic'", "kmeans"]),
    "range": (
        segmentation(minimum_cluster_count=8, maximum_cluster_count=4),
        ["'value'", "minimum_cluster_count"],
    ),
    "feature": (feature("recency"), ["'recency'", "recency_days"]),
    "transform": (
        feature("monetary", transform="log"), ["'log'", "monetary", "log1p or none"],
    ),
    "no such relation": (
        {"input": "warehouse", "relations": {"schema": "raw"}},
        ["no relation raw.order_lines", "{order_lines: schema.table}"],
    ),
    "no relations": ({"input": "warehouse"}, ["'warehouse'", "relations", "{schema:"]),
    "relation of what": (
        {"relations": {"orders": "raw.orders"}}, ["'orders'", "order_lines"],
    ),
    "header of what": (
        {"headers": {"order_lines": {"price": "Price"}}},
        ["'price'", "order_lines", "unit_price"],
    ),
    "headers of what": ({"headers": {"orders": {}}}, ["'orders'", "order_lines"]),
    "no features": (segmentation(features={}), ["'value'", "features"]),
}  # fmt: skip
RIGHT = {
    "defaults": {},
    "k as text": {"cluster_count": "4"},
    "every value": {
        "as_of_date": "2024-12-31",
        "cluster_count": 30,
        "churn_horizon_days": 90,
        "time_zone": "Europe/Berlin",
        "returns": "ignore",
        "fees": "keep",
        "duplicate_lines": "keep",
        "zero_prices": "keep",
        "purchase_model": "bg_nbd",
        "purchase_prior": "none",
        "purchase_values": "repeat",
        "value_horizon_days": 730,
        "annual_discount_rate": 0,
        "margin_rate": 0.4,
        "budget": 1000,
        "refit_policy": "never",
        "refit_drift_limit": 0.1,
        "refit_after_days": 90,
    },
}


# Many values in one process: a process of its own takes six seconds for each.
EACH = """
import json, sys
from dbt.cli.main import dbtRunner

for name, variables in json.load(sys.stdin).items():
    print("CASE", name, flush=True)
    given = ["--vars", json.dumps(variables)]
    done = dbtRunner().invoke(["--no-use-colors", *sys.argv[1:], *given])
    print("SUCCESS" if done.success else "STOPPED", flush=True)
"""


@shared
def small_project(folder, of):
    """The project without what lies behind the as-of date, which parses faster."""
    project = folder / "project"
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(REPOSITORY / name, project)
    for name in ("macros", "models/input"):
        shutil.copytree(REPOSITORY / name, project / name)
    for name in (
        "models/sources.yml",
        "models/groups.yml",
        "models/intermediate/int_as_of_date.sql",
        *(f"models/staging/{path.name}" for path in STAGING.glob("*.sql")),
        *(f"seeds/demo/{path.name}" for path in (REPOSITORY / "seeds/demo").iterdir()),
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, project / name)
    return project


@shared
def wrong_values(folder, of):
    """What dbt said to each wrong value, and to right ones."""
    cases = {name: variables for name, (variables, _) in WRONG.items()} | RIGHT
    place = ["--target-path", folder / "target", "--log-path", folder / "logs"]
    done = subprocess.run(
        [sys.executable, "-c", EACH, "run", "--select", "int_as_of_date", *place],
        input=json.dumps(cases),
        cwd=of("small_project"),
        env=environment_of(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    parts = done.stdout.split("CASE ")[1:]
    return {part.partition("\n")[0]: part for part in parts}


small_project_fixture = fixture_of("small_project")
wrong_values_fixture = fixture_of("wrong_values")


def assert_stopped_and_named(output, named):
    assert "START sql" not in output, "a model was run"
    assert "Traceback" not in output
    said = output.rpartition("Encountered an error")[2]
    for part in named:
        assert part in said, (part, output)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_stops_the_build_before_any_model(wrong_values, name):
    assert "STOPPED" in wrong_values[name]
    assert_stopped_and_named(wrong_values[name], WRONG[name][1])


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_value_lets_the_models_begin(wrong_values, name):
    assert "START sql" in wrong_values[name]
    assert "configuration:" not in wrong_values[name]


@pytest.fixture
def stops(small_project, tmp_path):
    """Run one cheap model and expect that not even it begins."""

    def run(named, variables, **given):
        done = build(
            tmp_path,
            "run",
            args=["--select", "int_as_of_date"],
            variables=variables,
            project=small_project,
            green=False,
            **given,
        )
        assert_stopped_and_named(done.output, named)
        return done.output

    return run


@pytest.mark.parametrize("name", ["online_retail"])
def test_an_input_without_its_file_says_how_to_name_it(stops, name):
    said = stops([f"'{name}'", "SEGMENTATION_DATA"], {"input": name})
    assert "DATA=<file>" in said


def test_a_missing_file_is_named(stops, tmp_path):
    path = tmp_path / "it's not here.csv"
    named = ["no such file", "not here.csv", "SEGMENTATION_DATA", "'template'"]
    assert stops(named, {"input": "template"}, data=path)


def test_a_missing_column_is_named_with_the_file_and_what_is_there(stops, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text("order_id,customer,ordered_at,product_id,quantity,unit_price\n")
    named = [
        str(path), "customer_id", "order_id, customer, ordered_at", "Rename the column",
    ]  # fmt: skip
    assert stops(named, {"input": "template"}, data=path)


@pytest.mark.slow
def test_a_file_of_a_folder_that_lacks_a_column_is_named(stops, tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    write_lines(folder / "a.csv", [])
    path = folder / "b.csv"
    path.write_text("order_id,customer,ordered_at,product_id,quantity,unit_price\n")
    assert stops([str(path), "customer_id"], {"input": "template"}, data=folder)


@pytest.mark.slow
def test_a_folder_without_files_of_data_is_named(stops, tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    (folder / "notes.md").write_text("none")
    assert stops(
        ["no such file", str(folder), "csv"], {"input": "template"}, data=folder
    )


@pytest.mark.slow
def test_an_empty_file_is_no_table(stops, tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text("")
    assert stops([str(path), "lacks"], {"input": "template"}, data=path)


@pytest.mark.slow
def test_a_missing_column_of_the_optional_customers_is_named(stops, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("id,customer_name\n1,Ann\n")
    lines = write_lines(tmp_path / "lines.csv", [])
    named = [str(path), "customer_id", "id, customer_name"]
    assert stops(named, {"input": "template"}, data=lines, customers=path)


def test_a_database_that_another_process_holds_is_named_with_the_lock(
    small_project, tmp_path
):
    """A reader that holds the file blocks the writer; the message must say so."""
    path = tmp_path / "shop.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); "
            "print('held', flush=True); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline().strip() == "held"
        done = build(
            tmp_path,
            "run",
            args=["--select", "int_as_of_date"],
            project=small_project,
            green=False,
        )
    finally:
        holder.communicate("")
    assert "lock" in done.output.lower()
    assert str(path) in done.output
    assert str(holder.pid) in done.output
    assert "START sql" not in done.output
