"""What Spark writes of a table that is too large for one file."""

from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest
from cluster import has_java
from pyspark.sql import SparkSession

from segmentation import publishing_engines
from segmentation.publishing import publish
from segmentation.publishing_engines import SparkEngine

TABLE = SimpleNamespace(
    table_name="fct_things",
    relation="things",
    column_names="thing_id, thing_name",
    key_columns="thing_id",
)


@pytest.fixture(scope="module")
def session():
    if not has_java():
        pytest.fail("no Java: apt-get install openjdk-17-jre-headless", pytrace=False)
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False)
    session = builder.getOrCreate()
    session.sql(
        "select id as thing_id, concat('thing ', id) as thing_name from range(1000)"
    ).createOrReplaceTempView("things")
    yield session
    session.stop()


def test_a_table_is_cut_by_the_hash_of_its_key_the_same_every_time(
    session, tmp_path, monkeypatch
):
    monkeypatch.setattr(publishing_engines, "ROWS_PER_FILE", 300)
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written.append(SparkEngine(session).write(TABLE, tmp_path / name))
    names = [[path.name for path, _ in files] for files in written]
    assert names[0] == [f"fct_things-{n:05d}-of-00004.parquet" for n in range(1, 5)]
    assert names[0] == names[1]
    for (one, rows), (other, _) in zip(*written, strict=True):
        assert one.read_bytes() == other.read_bytes()
        ids = pq.read_table(one)["thing_id"].to_pylist()
        assert len(ids) == rows
        assert ids == sorted(ids)
    assert sum(rows for _, rows in written[0]) == 1000


def test_a_small_table_is_one_sorted_file(session, tmp_path):
    ((path, rows),) = SparkEngine(session).write(TABLE, tmp_path)
    assert path.name == "fct_things.parquet"
    assert rows == 1000
    assert pq.read_table(path)["thing_id"].to_pylist() == list(range(1000))


def test_a_fingerprint_follows_the_rows_and_not_their_order(session):
    engine = SparkEngine(session)
    things = session.table("things")
    things.orderBy(things.thing_id.desc()).createOrReplaceTempView("turned")
    things.where("thing_id <> 7").createOrReplaceTempView("fewer")
    found = [
        engine.fingerprint(SimpleNamespace(**{**vars(TABLE), "relation": name}))
        for name in ("things", "turned", "fewer")
    ]
    assert found[0] == found[1] != found[2]


def test_an_address_is_no_exports_folder():
    tables = pd.DataFrame([{"partial_because": "", "exports_folder": "s3://bucket"}])
    with pytest.raises(ValueError, match="needs a folder"):
        publish(tables, None)
