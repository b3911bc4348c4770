"""Drift is told as it is, and a model goes on until something speaks against it."""

import numpy as np
import pandas as pd
import pytest

FEATURES = {
    "value": ["recency_days", "frequency", "monetary"],
    "behaviour": [
        "shrunk_discount_share",
        "shrunk_returned_share",
        "units_per_order",
        "average_order_amount",
        "orders_per_active_month",
    ],
}
DESCRIBED = "select count(*) from dev_intermediate.int_described_versions"
PAIRS = [(name, feature) for name in FEATURES for feature in FEATURES[name]]


def values(finished, segmentation, feature):
    """The training sample's values, as the preparation rounds them."""
    found = finished.rows(
        f"select {feature} from dev_intermediate.int_training_sample "
        f"where segmentation = '{segmentation}' order by sample_rank"
    )
    return np.round(np.array([value for (value,) in found], dtype=float), 9)


def edges_of(sample):
    """The distinct deciles by rank, without the highest value."""
    ordered = np.sort(sample)
    ranks = [int(np.ceil(len(ordered) * tenth / 10)) for tenth in range(1, 10)]
    deciles = {ordered[rank - 1] for rank in ranks}
    return np.array(sorted(deciles - {ordered[-1]}))


def shares_of(sample, edges):
    counts = np.bincount(
        np.searchsorted(edges, sample, side="left"), minlength=len(edges) + 1
    )
    return counts / counts.sum()


def stability_index(then, now):
    then, now = np.maximum(then, 0.0001), np.maximum(now, 0.0001)
    return float(np.sum((now - then) * np.log(now / then)))


@pytest.mark.parametrize(("segmentation", "feature"), PAIRS)
def test_training_facts_are_the_deciles_of_the_sample(demo, segmentation, feature):
    sample = values(demo, segmentation, feature)
    stored = demo.rows(
        "select bin_number, lower, upper, share, customers "
        "from dev_registry.training_bins where model_version = 1 "
        f"and segmentation = '{segmentation}' and feature = '{feature}' order by 1"
    )
    edges = edges_of(sample)
    assert stored[0] == (0, None, None, 0.0, 0), "nobody is without a value"
    assert [row[1] for row in stored[1:]] == [None, *edges]
    assert [row[2] for row in stored[1:]] == [*edges, None]
    expected = shares_of(sample, edges)
    assert [row[3] for row in stored[1:]] == pytest.approx(expected, abs=1e-9)
    assert sum(row[4] for row in stored) == len(sample)


@pytest.mark.parametrize(("segmentation", "feature"), PAIRS)
def test_drift_is_what_an_independent_computation_finds(
    demo, past_date, segmentation, feature
):
    """The customers of October against those of the model, which is of January."""
    then, now = (values(f, segmentation, feature) for f in (demo, past_date))
    edges = edges_of(then)
    expected = stability_index(shares_of(then, edges), shares_of(now, edges))
    ((psi, customers_then, customers_now),) = past_date.rows(
        "select psi, customers_then, customers_now from dev_marts.rpt_feature_drift "
        f"where segmentation = '{segmentation}' and feature = '{feature}'"
    )
    assert psi == pytest.approx(expected, abs=2e-6)
    assert psi > 0
    assert (customers_then, customers_now) == (len(then), len(now))


@pytest.mark.parametrize("segmentation", ["value", "behaviour", "rfm"])
def test_segments_drift_as_their_customers_say(demo, past_date, segmentation):
    then, now = (
        pd.Series(
            dict(
                f.rows(
                    "select segment_id, count(*) from dev_marts.fct_customer_segments "
                    f"where segmentation = '{segmentation}' and status = 'assigned' "
                    "group by 1"
                )
            )
        )
        for f in (demo, past_date)
    )
    both = pd.DataFrame({"then": then, "now": now}).fillna(0)
    both /= both.sum()
    found = past_date.one(
        "select segment_drift from dev_marts.rpt_model_health "
        f"where segmentation = '{segmentation}'"
    )
    expected = stability_index(both["then"].to_numpy(), both["now"].to_numpy())
    assert found == pytest.approx(expected, abs=2e-6)
    assert found > 0


def health(finished, columns="status"):
    return finished.frame(
        f"select segmentation, {columns} from dev_marts.rpt_model_health"
    ).set_index("segmentation")


def test_a_new_model_is_healthy_and_a_past_date_is_rebuilt(demo, past_date):
    assert set(health(demo)["status"]) == {"healthy"}
    found = health(demo, "version_count, is_refit, refit_reason, feature_drift")
    assert (found["version_count"] == 1).all() and found["is_refit"].all()
    assert set(found["refit_reason"]) == {"first version"}
    assert set(found["feature_drift"]) == {0.0}
    assert set(health(past_date)["status"]) == {"rebuilt"}


def test_a_build_of_the_same_day_fits_nothing(demo, rebuilt):
    decided = (
        "select distinct cause, is_refit from dev_intermediate.int_refit_decisions"
    )
    assert demo.rows(decided) == [("first", True)]
    assert rebuilt.rows(decided) == [("holds", False)]
    assert len(rebuilt.lines("nothing is measured: version 1 holds")) == 2
    assert not rebuilt.lines("measured (stability")


def test_another_configuration_is_a_refit_that_says_whom_it_moved(demo, eight_clusters):
    found = health(
        eight_clusters, "refit_reason, changed_by_model_share, version_count"
    )
    value = found.loc["value"]
    assert value["refit_reason"] == "the configuration changed since version 1"
    assert value["version_count"] == 2
    labels = [
        dict(
            f.rows(
                "select customer_id, segment_id from dev_marts.fct_customer_segments "
                "where segmentation = 'value' and status = 'assigned'"
            )
        )
        for f in (demo, eight_clusters)
    ]
    # the sample is all customers, and the data are the same
    moved = sum(labels[0][customer] != labels[1][customer] for customer in labels[0])
    expected = moved / len(labels[0])
    assert value["changed_by_model_share"] == pytest.approx(expected, abs=1e-6)
    assert found.loc["rfm", "version_count"] == 1


# ---- on top of the first build, not published --------------------------------------


@pytest.mark.slow
def test_new_data_without_drift_make_no_version(demo, a_few_orders_less):
    lines = "select count(*) from dev_staging.stg_order_lines"
    assert a_few_orders_less.one(lines) < demo.one(lines)
    decisions = a_few_orders_less.rows(
        "select cause, drift > 0, drift < 0.1 from dev_intermediate.int_refit_decisions"
    )
    assert decisions == [("holds", True, True)] * 3
    assert a_few_orders_less.one(DESCRIBED) == 0
    assert set(health(a_few_orders_less)["status"]) == {"healthy"}


@pytest.mark.slow
def test_planted_drift_makes_a_new_version_of_what_drifted(dearer):
    found = health(dearer, "model_version, refit_reason, changed_by_model_share")
    assert found["model_version"].to_dict() == {"value": 2, "behaviour": 2, "rfm": 2}
    reasons = found["refit_reason"]
    assert reasons["value"].startswith("monetary has drifted since version 1")
    assert reasons["rfm"].startswith("monetary has drifted since version 1")
    assert reasons["behaviour"].startswith("average_order_amount has drifted")
    # cut points of money three times as high give nearly all the same scores
    assert 0 < found.loc["rfm", "changed_by_model_share"] < 1
    stored = dearer.rows(
        "select segmentation, model_version, max(reason) "
        "from dev_marts.registry_segment_prototypes group by 1, 2 order by 1, 2"
    )
    assert [row[:2] for row in stored] == [
        ("behaviour", 1), ("behaviour", 2), ("value", 1), ("value", 2),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_registry_of_an_earlier_release_goes_on_without_facts(demo, upgraded):
    found = health(upgraded, "status, model_version, status_reason, feature_drift")
    assert set(found["status"]) == {"no_training_facts"}
    assert set(found["model_version"]) == {1}
    assert all("without training facts" in text for text in found["status_reason"])
    assert upgraded.one(DESCRIBED) == 0
    rows = upgraded.rows(
        "select segmentation, cluster_count, is_chosen, stability "
        "from dev_marts.rpt_segment_candidates order by 1"
    )
    assert [row[:3] for row in rows] == [("behaviour", 5, True), ("value", 5, True)]
    assert {row[3] for row in rows} == {None}
    sql = (
        "select customer_id, segmentation, segment_id, distance "
        "from dev_marts.fct_customer_segments order by all"
    )
    assert upgraded.rows(sql) == demo.rows(sql)
