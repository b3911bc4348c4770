"""What the plugin relies on in the pinned adapter, and what it refuses."""

from importlib.metadata import version
from types import SimpleNamespace

import pytest
from dbt.adapters.spark import SparkAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt_segmentation_spark import SessionJobHelper, absolute_path, read_text

MODEL = {"alias": "ml_things", "original_file_path": "python_models/ml_things.py"}


def test_the_adapter_is_the_one_that_is_patched():
    assert version("dbt-spark") == "1.11.0"
    helpers = SparkAdapter.python_submission_helpers.fget(None)
    assert helpers["session"] is SessionJobHelper
    assert {"job_cluster", "all_purpose_cluster"} < set(helpers)


@pytest.mark.parametrize("name", ["read_text", "absolute_path"])
def test_macros_may_call_it(name):
    assert name in SparkAdapter._available_
    assert name in SparkAdapter._parse_replacements_


@pytest.mark.parametrize("method", ["thrift", "odbc", "http"])
def test_a_connection_that_runs_sql_alone_is_refused_with_the_cure(method):
    with pytest.raises(DbtRuntimeError) as refused:
        SessionJobHelper(MODEL, SimpleNamespace(method=method))
    for part in ("ml_things", f"'{method}'", "method: session", "SPARK_REMOTE"):
        assert part in str(refused.value)


def test_an_absent_file_is_none_and_addresses_stay_as_they_are(tmp_path):
    assert read_text(str(tmp_path / "absent")) is None
    (tmp_path / "there").write_text("ä", encoding="utf-8")
    assert read_text(str(tmp_path / "there")) == "ä"
    assert absolute_path("s3://bucket/file") == "s3://bucket/file"
