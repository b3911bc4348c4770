"""The whole project on a standalone cluster: DuckDB's marts, and a worker that dies."""

import json
import time

import pyarrow.parquet as pq
import pytest
from bounded import LARGEST_TABLE, read_by_python_models
from building import NO_UNIT_TESTS, build, finish, start
from comparing import compare_sets, published


def primary_keys(target) -> dict[str, list[str]]:
    nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    return {
        node["name"]: node["config"]["meta"]["primary_key"]
        for node in nodes
        if node["resource_type"] == "model" and "primary_key" in node["config"]["meta"]
    }


def contents(exports) -> dict[str, bytes]:
    return {
        str(path.relative_to(exports)): path.read_bytes()
        for path in exports.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", ["demo", "online_retail"])
def test_every_mart_is_that_of_duckdb(name, request):
    expected = request.getfixturevalue(f"{name}_on_duckdb")
    found = request.getfixturevalue(f"{name}_on_spark")
    marts = compare_sets(expected.exports, found.exports, primary_keys(found.target))
    for mart in marts:
        print(
            f"{mart.name:<30}{mart.rows:>9,} rows{mart.doubles:>9,} doubles, "
            f"largest relative difference {mart.largest_difference:.1e}"
        )
    assert [fault for mart in marts for fault in mart.faults] == []
    assert sum(mart.rows for mart in marts) > 20_000


def test_the_manifest_says_the_same_but_for_the_files(demo_on_duckdb, demo_on_spark):
    one, _ = published(demo_on_duckdb.exports)
    other, _ = published(demo_on_spark.exports)
    assert {key for key in one if one[key] != other[key]} <= {"files", "folder"}
    rows = [{f["name"]: f["rows"] for f in m["files"]} for m in (one, other)]
    assert rows[0] == rows[1]


def test_the_list_for_other_tools_has_the_same_bytes(demo_on_duckdb, demo_on_spark):
    ones, others = (
        (done.exports / published(done.exports)[0]["folder"] / "fct_audiences.csv")
        for done in (demo_on_duckdb, demo_on_spark)
    )
    assert ones.read_bytes() == others.read_bytes()


def test_what_the_python_models_read_is_small(demo_on_spark):
    """All of it together; the customers among it are the sample."""
    tables = demo_on_spark.exports.parent / "spark" / "tables"
    for name in read_by_python_models():
        files = list(tables.glob(f"*/{name}/*.parquet"))
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        print(f"{name:<30}{rows:>9,} rows")
        assert rows <= LARGEST_TABLE, name


def test_a_worker_that_dies_in_a_build_takes_nothing_published_with_it(
    cluster, demo_on_spark
):
    """It goes on with the other one and ends in equal files, or the next build does."""
    folder = demo_on_spark.exports.parent
    before = contents(demo_on_spark.exports)
    since = time.monotonic()
    process = start(folder, "spark", cluster.environment(), None, *NO_UNIT_TESTS)
    log = folder / "output.txt"
    while process.poll() is None and "int_orders" not in log.read_text():
        time.sleep(0.2)
    assert process.poll() is None, log.read_text()[-2000:]
    assert cluster.alive() == 2
    cluster.kill_worker(0)
    wounded = finish(process, folder, since)
    assert contents(demo_on_spark.exports) == before
    cluster.add_worker()
    if wounded.code:
        assert "Completed with" in wounded.output
        wounded = build(folder, "spark", cluster.environment(), None, *NO_UNIT_TESTS)
    assert "Unchanged" in wounded.output
    assert contents(demo_on_spark.exports) == before
