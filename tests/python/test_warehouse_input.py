"""Tables that are in the warehouse already, under names of their own."""

import json
import subprocess
import sys

import duckdb
import pytest
from builds import build, environment_of
from test_configuration_errors import small_project_fixture  # noqa: F401

VARIABLES = {
    "input": "warehouse",
    "relations": {"schema": "raw", "customers": "people"},
    "headers": {
        "order_lines": {"unit_price": ["Price Each"], "loaded_at": "written"},
        "customers": {"email": "E-Mail"},
    },
}
SELECT = ["--select", "+stg_order_lines", "+stg_customers", "+stg_customer_events"]


@pytest.fixture
def shop(tmp_path):
    """Typed tables of the database that the build works in; no events, no campaigns."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "create schema raw;"
            "create table raw.people as "
            "select 7 as customer_id, 'ann@example.com' as \"e_mail\";"
            "create table raw.order_lines as select 1 as line_id, 10 as order_id, "
            "7 as customer_id, timestamp '2024-01-02 03:04:05' as ordered_at, "
            "'P1' as product_id, 2 as quantity, 1.2345::decimal(9, 4) as price_each, "
            "timestamp '2024-01-03' as written"
        )
    return tmp_path


def test_tables_are_found_by_schema_and_columns_by_header(small_project, shop):
    done = build(shop, "run", args=SELECT, variables=VARIABLES, project=small_project)
    lines = done.rows(
        "select order_id, customer_id, ordered_at::text, net_amount::text "
        "from dev_staging.stg_order_lines"
    )
    assert lines == [("10", "7", "2024-01-02 03:04:05", "2.4690")]
    customers = "select customer_id, email from dev_staging.stg_customers"
    assert done.rows(customers) == [("7", "ann@example.com")]
    assert done.one("select count(*) from dev_staging.stg_customer_events") == 0
    # the graph knows what the models read
    nodes = done.artifact("manifest.json")["nodes"]
    (reader,) = [node for name, node in nodes.items() if "warehouse__customers" in name]
    (source,) = reader["depends_on"]["nodes"]
    assert source == "source.customer_segmentation.warehouse.customers"
    sources = done.artifact("manifest.json")["sources"]
    assert sources[source]["relation_name"] == '"shop"."raw"."people"'


def test_freshness_is_told_by_the_column_that_means_loaded_at(small_project, shop):
    def freshness(written, green):
        with duckdb.connect(str(shop / "shop.duckdb")) as connection:
            connection.execute(f"update raw.order_lines set written = {written}")
        command = [sys.executable, "-m", "dbt.cli.main", "source", "freshness"]
        place = ["--target-path", shop / "target", "--log-path", shop / "logs"]
        done = subprocess.run(
            [*command, *place, "--vars", json.dumps(VARIABLES)],
            cwd=small_project,
            env=environment_of(shop),
            stdout=subprocess.DEVNULL,
            check=False,
        )
        assert (done.returncode == 0) is green
        (result,) = json.loads((shop / "target/sources.json").read_text())["results"]
        return result["status"]

    day = "(now() at time zone 'UTC')::timestamp - interval {} day"
    assert freshness(day.format(0), green=True) == "pass"
    assert freshness(day.format(3), green=True) == "warn"
    assert freshness(day.format(8), green=False) == "error"
