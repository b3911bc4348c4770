"""Names, rules, trees, map and evidence of the demo's segments, computed once more."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    f1_score,
    precision_score,
    recall_score,
)

SEGMENTATIONS = ("value", "behaviour")


def labelled(finished, segmentation, extra=""):
    """Customers whom the model puts into a segment, with their raw features."""
    return finished.frame(
        f"select assigned.segment_id, features.* {extra} "
        "from dev_intermediate.int_segment_assignments as assigned "
        "inner join dev_intermediate.int_customer_features as features "
        "using (customer_id) "
        f"where segmentation = '{segmentation}' and assigned.status = 'assigned' "
        "order by customer_id"
    )


# ---- names -------------------------------------------------------------------------


def test_the_demo_names_high_value_infrequent_and_discount_customers(demo):
    names = dict(
        demo.rows(
            "select segment_name, persona from dev_marts.dim_segments "
            "where status = 'active' and segmentation <> 'rfm'"
        )
    )
    assert names["High-value customers"] == "high_value"
    assert names["Infrequent shoppers"] == "infrequent_shoppers"
    assert names["Discount seekers"] == "discount_seekers"
    assert "unmatched" not in names.values()


def test_names_say_what_the_customers_are_like(demo):
    """High-value customers spend most a head; discount seekers get most discount."""
    found = demo.frame(
        "select segment_name, feature, mean_value, mean_of_all "
        "from dev_marts.rpt_segment_profiles "
        "inner join dev_marts.dim_segments using (segment_id)"
    )
    for name, feature, segmentation_peers in (
        ("High-value customers", "monetary", "max"),
        ("Discount seekers", "discount_share", "max"),
    ):
        rows = found[found["feature"] == feature]
        own = rows[rows["segment_name"] == name].iloc[0]
        assert segmentation_peers == "max"
        assert float(own["mean_value"]) > 1.5 * float(own["mean_of_all"]), name
    rows = found[found["feature"] == "frequency"]
    own = rows[rows["segment_name"] == "Infrequent shoppers"].iloc[0]
    assert float(own["mean_value"]) < 0.6 * float(own["mean_of_all"])


def test_who_bought_once_has_no_behaviour_yet(demo):
    found = demo.rows(
        "select frequency, assigned.segment_id, assigned.status "
        "from dev_marts.fct_customer_segments as assigned "
        "inner join dev_marts.dim_customers using (customer_id) "
        "where segmentation = 'behaviour' and frequency < 2"
    )
    assert {row for row in found if row[0] == 1} == {
        (1, "behaviour-one-time", "too_few_purchases")
    }
    assert {row for row in found if row[0] == 0} == {(0, "behaviour-0", "no_purchase")}


# ---- rules -------------------------------------------------------------------------


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_a_rule_is_valid_sql_as_precise_as_it_says(demo, segmentation):
    rules = demo.frame(
        "select segment_id, rule_text, rule_sql, rule_precision, rule_recall, rule_f1 "
        "from dev_marts.dim_segments where rule_f1 is not null "
        f"and segmentation = '{segmentation}' and status = 'active'"
    )
    assert len(rules) >= 3
    for rule in rules.itertuples():
        if rule.rule_sql is None:
            assert rule.rule_f1 < 0.7
            assert rule.rule_text.startswith("No short rule")
            continue
        assert rule.rule_sql.count(" and ") <= 2
        frame = labelled(demo, segmentation, f", coalesce({rule.rule_sql}, false) as r")
        own, named = frame["segment_id"] == rule.segment_id, frame["r"].astype(bool)
        assert rule.rule_precision == pytest.approx(
            precision_score(own, named), abs=1e-6
        )
        assert rule.rule_recall == pytest.approx(recall_score(own, named), abs=1e-6)
        assert rule.rule_f1 == pytest.approx(f1_score(own, named), abs=1e-6)
        assert rule.rule_f1 >= 0.7


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_the_tree_is_valid_sql_as_accurate_as_it_says(demo, segmentation):
    tree, accuracy = demo.rows(
        "select tree_sql, tree_accuracy from dev_marts.dim_segmentations "
        f"where segmentation = '{segmentation}'"
    )[0]
    frame = labelled(demo, segmentation, f", {tree} as found")
    # fewer customers than the sample may have: all of them were looked at
    assert accuracy == pytest.approx((frame["found"] == frame["segment_id"]).mean())
    assert accuracy > 0.8


# ---- the map -----------------------------------------------------------------------


def test_the_map_shows_the_principal_components_of_the_prepared_features(demo):
    frame = labelled(demo, "value")
    raw = frame[["recency_days", "frequency", "monetary"]].astype(float).round(9)
    logs = np.log1p(raw.clip(lower=0)).to_numpy()
    prepared = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    model = PCA(2, svd_solver="full").fit(prepared)
    expected = pd.DataFrame(model.transform(prepared), index=frame["customer_id"])
    found = demo.frame(
        "select * from dev_marts.rpt_customer_map where segmentation = 'value'"
    ).set_index("customer_id")
    assert 1000 < len(found) <= 2_000 + 5 * 30
    for number in (0, 1):
        column = found[f"component_{number + 1}"].astype(float)
        own = expected.loc[column.index, number]
        sign = np.sign(np.corrcoef(column, own)[0, 1])
        assert column.to_numpy() == pytest.approx(sign * own.to_numpy(), abs=1e-5)
        shares = demo.rows(
            "select distinct explained_variance_share from dev_marts.rpt_map_loadings "
            f"where segmentation = 'value' and component = {number + 1}"
        )
        assert shares == [
            (pytest.approx(model.explained_variance_ratio_[number], abs=1e-6),)
        ]


def test_every_segment_is_on_the_map(demo):
    on_map = demo.rows(
        "select segmentation, segment_id, count(*) from dev_marts.rpt_customer_map "
        "group by all"
    )
    sizes = {
        row[:2]: row[2]
        for row in demo.rows(
            "select segmentation, segment_id, count(*) "
            "from dev_marts.fct_customer_segments "
            "where status = 'assigned' and segmentation <> 'rfm' group by all"
        )
    }
    assert {row[:2] for row in on_map} == set(sizes)
    for segmentation, segment_id, count in on_map:
        assert count >= min(30, sizes[segmentation, segment_id])


# ---- evidence ----------------------------------------------------------------------


def test_the_chosen_candidate_has_the_measures_of_scikit_learn(demo):
    frame = demo.frame(
        "select sample_rank, recency_days, frequency, monetary, segment_id "
        "from dev_intermediate.int_training_sample as sample "
        "inner join dev_intermediate.int_segment_assignments as assigned "
        "using (segmentation, customer_id) "
        "where segmentation = 'value' order by sample_rank"
    )
    raw = frame[["recency_days", "frequency", "monetary"]].astype(float).round(9)
    logs = np.log1p(raw.clip(lower=0)).to_numpy()
    prepared = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    labels = frame["segment_id"].to_numpy()
    (row,) = demo.frame(
        "select * from dev_marts.rpt_segment_candidates "
        "where segmentation = 'value' and is_chosen"
    ).itertuples()
    assert len(frame) <= 5_000, "the measures are of the first 5,000 customers"
    assert row.davies_bouldin == pytest.approx(davies_bouldin_score(prepared, labels))
    assert row.calinski_harabasz == pytest.approx(
        calinski_harabasz_score(prepared, labels)
    )
    shares = pd.Series(labels).value_counts(normalize=True)
    assert row.smallest_share == pytest.approx(shares.min(), abs=1e-6)
    assert row.largest_share == pytest.approx(shares.max(), abs=1e-6)
    assert (row.noise_share, row.label_agreement) == (0, 1)


def test_half_a_period_ago_the_same_customers_had_these_segments(demo):
    """The earlier segments by the nearest centre, computed without the project."""
    earlier = demo.frame(
        "select sample_rank, recency_days, frequency, monetary "
        "from dev_intermediate.int_earlier_sample where segmentation = 'value'"
    ).set_index("sample_rank")
    now = demo.frame(
        "select sample_rank, segment_id, recency_days, frequency, monetary "
        "from dev_intermediate.int_training_sample "
        "inner join dev_intermediate.int_segment_assignments "
        "using (segmentation, customer_id) where segmentation = 'value'"
    ).set_index("sample_rank")
    columns = ["recency_days", "frequency", "monetary"]
    logs = np.log1p(now[columns].astype(float).clip(lower=0))
    then = np.log1p(earlier[columns].astype(float).clip(lower=0))
    then = (then - logs.mean()) / logs.std(ddof=0)
    logs = (logs - logs.mean()) / logs.std(ddof=0)
    centres = logs.groupby(now["segment_id"]).mean()
    distances = np.linalg.norm(
        then.to_numpy()[:, None] - centres.to_numpy()[None], axis=2
    )
    labels = centres.index.to_numpy()[distances.argmin(axis=1)]
    expected = adjusted_rand_score(now.loc[then.index, "segment_id"], labels)
    found = demo.one(
        "select period_persistence from dev_marts.rpt_segment_candidates "
        "where segmentation = 'value' and is_chosen"
    )
    assert found == pytest.approx(expected, abs=0.005)


def test_contributions_of_a_fit_add_up_to_one(demo):
    for segmentation, total in demo.rows(
        "select segmentation, sum(contribution) "
        "from dev_marts.rpt_segmentation_features group by segmentation"
    ):
        assert total == pytest.approx(1, abs=1e-5), segmentation
    unused = demo.rows(
        "select feature, contribution from dev_marts.rpt_segmentation_features "
        "where status <> 'used' and contribution <> 0"
    )
    assert unused == []


def test_who_a_customer_is_describes_segments_and_does_not_make_them(demo):
    status = dict(
        demo.rows(
            "select feature, status from dev_marts.rpt_segmentation_features "
            "where segmentation = 'value'"
        )
    )
    assert {status["gender"], status["age"]} == {"profile_only"}
    assert {status[f] for f in ("recency_days", "frequency", "monetary")} == {"used"}
    levels = demo.rows(
        "select distinct level from dev_marts.rpt_segment_profiles "
        "where feature = 'gender' order by level"
    )
    assert len(levels) >= 2
