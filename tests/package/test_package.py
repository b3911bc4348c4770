"""Another project installs this one and gets the marts in its own schemas."""

import json
import subprocess
import sys

from shop_project import DAYS, REPOSITORY, load

MARTS = {"dim_customers", "dim_segments", "fct_orders", "rpt_segment_summary"}
REFERENCE = {"features", "palette", "persona_conditions", "personas", "rfm_segments"}


def test_the_build_is_green_and_publishes(built):
    assert "Published 36 tables to exports/warehouse_nightly/" in built.output
    (name,) = {
        json.loads(path.read_text())["input"]
        for path in built.folder.glob("exports/*/manifest.json")
    }
    assert name == "warehouse"


def test_python_models_use_the_installed_package(wheel):
    done = subprocess.run(
        [sys.executable, "-c", "import segmentation; print(segmentation.__file__)"],
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(wheel))


def test_the_wheel_has_every_file_of_the_package(wheel):
    def files(folder):
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc" and ".egg-info" not in str(path)
        }

    expected = files(REPOSITORY / "src")
    assert "segmentation/duckdb_plugin.py" in expected
    assert expected - files(wheel) == set()


def test_schemas_are_the_consumers(built):
    tables = {}
    for schema, table in built.rows(
        "select table_schema, table_name from information_schema.tables"
    ):
        tables.setdefault(schema, set()).add(table)
    assert set(tables) == {
        "raw",
        "analytics",
        "segmentation",
        "segmentation_internal",
        "segmentation_registry",
    }
    assert tables["segmentation"] >= MARTS
    assert not {name for name in tables["segmentation"] if name.startswith("int_")}
    assert tables["analytics"] == {"stg_order_lines", "dim_dates", "revenue_by_country"}
    assert tables["segmentation_internal"] >= REFERENCE | {"stg_order_lines"}
    assert not {name for names in tables.values() for name in names if "demo" in name}


def test_the_registry_has_the_published_models(built):
    ((versions,),) = built.rows(
        "select count(distinct segmentation) "
        "from segmentation_registry.segment_prototypes"
    )
    assert versions == 1


def test_figures_are_those_of_the_consumers_tables(built):
    """Net spend is what all lines add up to, whatever order a return belongs to."""
    expected = built.rows(
        "select if(cast(substr(customer, 2) as integer) % 2 = 0, 'Austria', 'France'), "
        "sum(quantity * unit_price) from raw.lines group by 1 order by 1"
    )
    assert len(expected) == 2
    found = built.rows(
        "select country, revenue from analytics.revenue_by_country order by country"
    )
    assert found == expected
    ((orders,),) = built.rows("select count(*) from segmentation.fct_orders")
    ((sales,),) = built.rows(
        "select count(distinct order_number) from raw.lines where line_type = 'sale'"
    )
    assert orders == sales


def test_equal_names_stay_apart(built):
    assert built.rows("select * from analytics.dim_dates") != built.rows(
        "select * from segmentation.dim_dates limit 1"
    )
    # the consumer's test in_range, which always fails, is not the package's
    assert "PASS in_range_dim_customers_age__110__14" in built.output


def test_data_tests_of_the_package_run(built):
    assert "PASS every_raw_row_is_used_or_quarantined" in built.output
    assert "PASS every_mart_is_published" in built.output


def test_freshness_is_that_of_the_consumers_source(built):
    output = built.run("source", "freshness")
    assert "WARN freshness of raw.lines" in output
    (result,) = json.loads((built.folder / "target/sources.json").read_text())[
        "results"
    ]
    ((latest,),) = built.rows("select max(loaded_at) from raw.lines")
    assert result["max_loaded_at"].startswith(latest.isoformat())


def test_only_what_was_loaded_since_is_taken_in(built, tmp_path):
    """The relation is a model of the consumer, made anew in the same run."""
    consumer = built.copy(tmp_path)
    load(consumer, DAYS - 1, DAYS)
    consumer.run(
        "run", "--select", "stg_order_lines,package:shop", "warehouse__order_lines",
        "base_order_lines", "--vars", "{a_var_of_the_shop: 1}",
    )  # fmt: skip
    deliveries = consumer.rows(
        "select delivery_number, count(*), min(cast(loaded_at as timestamp)) "
        "from segmentation_internal.base_order_lines group by all order by all"
    )
    expected = consumer.rows(
        "with latest as (select max(loaded_at) as loaded_at from raw.lines) "
        "select if(lines.loaded_at = latest.loaded_at, 2, 1), count(*), "
        "min(lines.loaded_at) from raw.lines, latest group by all order by all"
    )
    assert deliveries == expected and len(deliveries) == 2
    ((why,),) = consumer.rows(
        "select partial_because from segmentation_registry.current_run"
    )
    assert why.startswith("the command was dbt run, it had --select, without ")


def test_all_of_the_package_is_a_full_build_and_red_ones_publish_nothing(
    built, tmp_path
):
    consumer = built.copy(tmp_path)
    published = sorted(path.name for path in consumer.folder.glob("exports/*/*"))
    consumer.edit(
        "models/stg_order_lines.sql", "select\n", "select\n    error('planted') as x,\n"
    )
    output = consumer.run(
        "build", "--fail-fast", "--select", "package:customer_segmentation",
        "stg_order_lines", green=False,
    )  # fmt: skip
    assert "planted" in output and "Published" not in output
    assert consumer.rows(
        "select partial_because from segmentation_registry.current_run"
    ) == [("",)]
    assert published == sorted(
        path.name for path in consumer.folder.glob("exports/*/*")
    )


def test_only_marts_are_for_the_consumer(unbuilt, tmp_path):
    """Not even its own group of the package's name opens the rest."""
    consumer = unbuilt.copy(tmp_path)
    consumer.edit(
        "models/revenue_by_country.sql", "'dim_customers'", "'int_customer_rfm'"
    )
    output = consumer.run("parse", green=False)
    assert "revenue_by_country" in output and "not allowed" in output
    assert "int_customer_rfm" in output


def test_a_name_that_is_taken_for_the_packages_stops_the_build(unbuilt, tmp_path):
    consumer = unbuilt.copy(tmp_path)
    flag = "require_ref_searches_node_package_before_root: "
    consumer.edit("dbt_project.yml", f"{flag}true", f"{flag}false")
    output = consumer.run("build", "--select", "revenue_by_country", green=False)
    assert "is taken for the one of this name of customer_segmentation" in output
    assert f"{flag}true" in output


def test_a_misspelt_var_of_the_package_stops_the_build(unbuilt, tmp_path):
    consumer = unbuilt.copy(tmp_path)
    consumer.edit("dbt_project.yml", "registry_schema:", "registry_scheme:")
    output = consumer.run("build", "--select", "revenue_by_country", green=False)
    assert "unknown var 'registry_scheme' in dbt_project.yml" in output


def test_a_file_that_needs_the_plugin_says_so(unbuilt, tmp_path):
    """Files work too; what a plain profile cannot read stops the run at its start."""
    consumer = unbuilt.copy(tmp_path)
    file = tmp_path / "lines.csv"
    header = "order_id,customer_id,ordered_at,product_id,quantity,unit_price"
    file.write_bytes(f"{header}\nO1,C1,2024-01-01,Café,1,2\n".encode("cp1252"))
    output = consumer.run(
        "build", "--select", "template__order_lines",
        "--vars", "{input: template, relations: {}, headers: {}}",
        environment={"SEGMENTATION_DATA": str(file)}, green=False,
    )  # fmt: skip
    assert "add plugins: [{module: segmentation.duckdb_plugin}]" in output
