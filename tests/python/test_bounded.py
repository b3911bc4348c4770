"""Nothing but bounded samples and parameters passes through the driver."""

import re

from bounded import (
    PAIRS,
    PARAMETERS,
    REPOSITORY,
    SAMPLES,
    SNAPSHOT_SAMPLES,
    read_by_python_models,
    references,
)

MODELS = REPOSITORY / "models"


def test_python_models_read_samples_and_parameters_only():
    """A table of another kind must be shown to be bounded, then listed."""
    known = SAMPLES | SNAPSHOT_SAMPLES | PAIRS | PARAMETERS
    assert read_by_python_models() <= known


def test_python_models_name_what_they_read_plainly():
    """So that this file can see it: a literal, never a table by the session."""
    for path in (REPOSITORY / "python_models").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(re.findall(r"dbt\.(?:ref|source)\(", text)) == len(references(text))
        assert not re.findall(r"session\.(?:sql|table|read)|spark\.", text), path


def test_samples_come_from_the_training_sample_which_is_taken_by_threshold():
    sql = {
        name: (MODELS / "intermediate" / f"{name}.sql").read_text(encoding="utf-8")
        for name in SAMPLES
    }
    training = sql.pop("int_training_sample")
    assert training.index("hash_order * ") < training.index("row_number()")
    assert "var('training_sample_size')" in training
    for name, text in sql.items():
        assert "ref('int_training_sample')" in text, name
        assert "from sample" in text, name


def test_snapshot_samples_come_from_customers_below_a_threshold():
    sql = {
        name: (MODELS / "intermediate" / f"{name}.sql").read_text(encoding="utf-8")
        for name in SNAPSHOT_SAMPLES
    }
    sample = sql.pop("int_churn_sample")
    threshold = "hash_order * sizes.customer_count <= {{ var('training_sample_size') }}"
    assert threshold in " ".join(sample.split())
    assert "inner join sampled" in sample
    for name, text in sql.items():
        assert "from {{ ref('int_churn_sample') }}" in text, name


def test_no_window_has_all_rows_in_one_partition():
    """A window without a partition takes one task; those here are over few rows."""
    few = {
        "int_long_features": "the levels of a category",
        "int_rfm_cut_points": "the values of a measure, of money in whole units",
        "base_last_plausible_day": "days",
        "int_value_thresholds": "amounts in steps of a thousandth",
        "int_self_check_filters": "segments, and countries",
    }
    found = {
        path.stem
        for path in MODELS.rglob("*.sql")
        if re.search(r"over \(\s*(?:order by|\))", path.read_text(encoding="utf-8"))
    }
    assert found <= set(few)
