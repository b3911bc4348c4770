"""The cluster, and the builds on it, beside DuckDB's of the same inputs."""

import os
import signal
import sys
from pathlib import Path

import pytest
from building import NO_UNIT_TESTS, REPOSITORY, build
from cluster import Cluster, has_java

ONLINE_RETAIL = "online_retail/online_retail.csv.gz"
ONLINE = ["--vars", "input: online_retail", *NO_UNIT_TESTS]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if not has_java():
        pytest.fail("no Java: apt-get install openjdk-17-jre-headless", pytrace=False)
    # Told to end, pytest would not clean up by itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def online_retail_file():
    named = os.environ.get("SEGMENTATION_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    path = folder / ONLINE_RETAIL
    if not path.is_file():
        pytest.skip(f"shared data file not found: {path}")
    return path


@pytest.fixture(scope="session")
def demo_on_duckdb(tmp_path_factory):
    return build(tmp_path_factory.mktemp("demo"), "dev", {}, None, *NO_UNIT_TESTS)


@pytest.fixture(scope="session")
def demo_on_spark(cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo_spark")
    return build(folder, "spark", cluster.environment())


@pytest.fixture(scope="session")
def online_retail_on_duckdb(online_retail_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("online_retail")
    return build(folder, "dev", {}, online_retail_file, *ONLINE)


@pytest.fixture(scope="session")
def online_retail_on_spark(online_retail_file, cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("online_retail_spark")
    return build(folder, "spark", cluster.environment(), online_retail_file, *ONLINE)
