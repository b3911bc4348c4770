"""Profiles against hand-worked values, published figures and invariants."""

import numpy as np
import pandas as pd
import pytest
from shared_data import shared_file

from segmentation.preparation import fit_preparation, prepare
from segmentation.profiles import (
    DIFFERENTIATOR_DTYPES,
    IMPORTANCE_DTYPES,
    differentiators,
    feature_importance,
    ordered_segments,
)


def columns_of(*features):
    return pd.DataFrame({"feature": features, "position": range(1, len(features) + 1)})


def row_of(found, segment_id, feature):
    own = found[(found["segment_id"] == segment_id) & (found["feature"] == feature)]
    return own.iloc[0]


def test_a_number_is_compared_by_the_hand_worked_cohens_d():
    # Segment 1, 3, 8: mean 4, squares 9 + 1 + 16 = 26; rest 5, 7: mean 6, squares 2.
    # Pooled variance 28 / 3; all have the mean 24 / 5.
    found = differentiators(pd.DataFrame({"spend": [1, 3, 8, 5, 7]}), [*"xxxyy"])
    assert found.dtypes.astype(str).to_dict() == DIFFERENTIATOR_DTYPES
    row = row_of(found, "x", "spend")
    assert row["mean"] == 4.0
    assert row["median"] == 3.0
    assert row["index_against_all"] == pytest.approx(4 / 4.8)
    assert row["effect_size"] == pytest.approx(-2 / (28 / 3) ** 0.5)
    other = row_of(found, "y", "spend")
    assert other["effect_size"] == -row["effect_size"]


def test_a_category_is_compared_by_the_level_whose_share_differs_most():
    # Segment: a 1/4, b 3/4; rest: a 2/3, b 0, c 1/3. b differs most, by 3/4.
    levels = pd.Series([*"abbb", *"aac", None])
    labels = [*"xxxx", *"yyy", "y"]
    row = row_of(differentiators(pd.DataFrame({"city": levels}), labels), "x", "city")
    assert row["level"] == "b"
    assert row["mean"] == 0.75
    assert np.isnan(row["median"])
    assert row["index_against_all"] == pytest.approx((3 / 4) / (3 / 7))
    assert row["effect_size"] == 0.75


def test_differences_are_ranked_by_size_whatever_their_sign():
    features = pd.DataFrame(
        {
            "same": [1, 2, 3, 1, 2, 3],
            "lower": [1, 2, 3, 11, 12, 13],
            "higher": [6, 7, 8, 1, 2, 3],
        }
    )
    found = differentiators(features, [*"xxxyyy"])
    own = found[found["segment_id"] == "x"]
    assert own["feature"].tolist() == ["lower", "higher", "same"]
    assert own["difference_rank"].tolist() == [1, 2, 3]
    # Standard deviation 1 on both sides.
    assert own["effect_size"].tolist() == [-10.0, 5.0, 0.0]


def test_a_level_is_ranked_among_numbers_by_its_standardised_difference():
    # Shares 3/4 and 1/4: squares 4 * 3/16 on both sides, pooled 1.5 / 6 = 1/4, so the
    # difference of 1/2 is worth d = 1. The numbers below have d = 2 and 0.5.
    features = pd.DataFrame(
        {
            "half": [0, 0, 1, 1] * 2,
            "city": [*"aaab", *"abbb"],
            "two": [0, 0, 1, 1] * 2,
        }
    ).astype({"half": float, "two": float})
    spread = (2 / 6) ** 0.5
    features.loc[:3, "half"] += 0.5 * spread
    features.loc[:3, "two"] += 2 * spread
    found = differentiators(features, [*"xxxxyyyy"]).head(3)
    assert found["feature"].tolist() == ["two", "city", "half"]
    assert found["effect_size"].tolist() == pytest.approx([2.0, 0.5, 0.5])


def test_two_different_constants_rank_first_without_a_figure():
    features = pd.DataFrame({"a": [1.0, 2, 3, 5], "flag": [0.1, 0.1, 0.7, 0.7]})
    found = differentiators(features, [*"xxyy"])
    assert found["feature"].tolist() == ["flag", "a"] * 2
    assert found["effect_size"].isna().tolist() == [True, False] * 2


def test_what_cannot_be_known_is_null():
    features = pd.DataFrame(
        {"spend": [None, None, 2.0], "city": [None, None, "a"], "loss": [-1.0, 1, 0]}
    )
    found = differentiators(features, ["x", "x", "y"])
    for feature in ("spend", "city"):
        row = row_of(found, "x", feature)
        assert pd.isna(row[["mean", "effect_size", "difference_rank"]]).all()
    assert np.isnan(row_of(found, "x", "loss")["index_against_all"])  # mean zero
    alone = differentiators(features, ["x", "x", "x"])
    assert alone["effect_size"].isna().all()
    assert alone["difference_rank"].isna().all()
    assert differentiators(features, [None] * 3).empty


def test_customers_without_a_segment_do_not_count():
    features = pd.DataFrame({"spend": [1.0, 3, 5, 7, 1e9]})
    found = differentiators(features, ["x", "x", "y", "y", None])
    expected = differentiators(features.head(4), ["x", "x", "y", "y"])
    pd.testing.assert_frame_equal(found, expected)


def test_one_label_per_customer_is_asked_for():
    with pytest.raises(ValueError, match="there are 1 labels for 2 customers"):
        differentiators(pd.DataFrame({"spend": [1, 2]}), ["x"])


def shop(seed=5, count=400):
    random = np.random.default_rng(seed)
    labels = random.choice(["value-1", "value-2", "value-10"], count)
    spend = random.lognormal(3, 1, count) * np.where(labels == "value-2", 4, 1)
    features = pd.DataFrame(
        {
            "spend": spend,
            "age": random.integers(18, 80, count),
            "city": random.choice([*"abc"], count),
        }
    )
    return features, labels


def test_profiles_do_not_depend_on_the_row_order():
    features, labels = shop()
    order = np.random.default_rng(1).permutation(len(features))
    pd.testing.assert_frame_equal(
        differentiators(features.iloc[order], labels[order]),
        differentiators(features, labels),
    )


def test_another_unit_or_origin_leaves_the_effect_size():
    features, labels = shop()
    changed = features.assign(spend=features["spend"] * 100 + 7)
    one, other = (differentiators(frame, labels) for frame in (features, changed))
    np.testing.assert_allclose(one["effect_size"], other["effect_size"], atol=1e-8)
    assert one["difference_rank"].equals(other["difference_rank"])


def test_permuted_labels_permute_the_profiles():
    features, labels = shop()
    names = {"value-1": "value-2", "value-2": "value-10", "value-10": "value-1"}
    renamed = np.array([names[label] for label in labels])
    one = differentiators(features, labels)
    other = differentiators(features, renamed)
    one["segment_id"] = one["segment_id"].map(names).astype("string")
    key = ["segment_id", "difference_rank"]
    one, other = (f.set_index(key).sort_index() for f in (one, other))
    pd.testing.assert_frame_equal(one, other)


def test_segments_come_by_their_number():
    features, labels = shop()
    found = differentiators(features, labels)
    expected = ["value-1", "value-2", "value-10"]
    assert found["segment_id"].unique().tolist() == expected
    assert ordered_segments(["b", "a", None, "x-3"]) == ["x-3", "a", "b"]


def test_contributions_are_the_hand_worked_ones():
    # Column a: means 0 and 4 about 2, between 4 * 4 = 16, all of its variance.
    # Column b: means 1 and 3 about 2, between 4, within 4 * 1.
    points = np.array([[0, 0], [0, 2], [4, 2], [4, 4]], dtype=float)
    found = feature_importance(points, columns_of("a", "b"), [*"xxyy"])
    assert found.dtypes.astype(str).to_dict() == IMPORTANCE_DTYPES
    assert found["feature"].tolist() == ["a", "b"]
    assert found["eta_squared"].tolist() == [1.0, 0.5]
    assert found["contribution"].tolist() == [0.8, 0.2]
    assert found["note"].fillna("").tolist() == ["this segmentation is mostly a", ""]


def test_where_the_segments_settle_every_feature_none_is_singled_out():
    points = np.array([[0, 0], [0, 0], [4, 4], [4, 4.1]], dtype=float)
    found = feature_importance(points, columns_of("a", "b"), [*"xxyy"])
    assert (found["eta_squared"] > 0.9).all()
    assert found["note"].isna().all()


def test_a_segmentation_by_one_category_is_called_that():
    random = np.random.default_rng(8)
    plan = random.choice(["basic", "plus", "pro"], 300)
    features = pd.DataFrame(
        {
            "plan": plan,
            "spend": random.random(300),
            "age": random.random(300),
            "sample_rank": range(300),
        }
    )
    settings = pd.DataFrame(
        {
            "feature": ["spend", "plan", "age"],
            "position": [1, 2, 3],
            "transform": "none",
            "scaling": "standard",
            "kind": ["numeric", "categorical", "numeric"],
        }
    )
    preparation = fit_preparation(features, settings)
    points = prepare(features, preparation)
    found = feature_importance(points, preparation, plan)
    assert found["feature"].iloc[0] == "plan"
    assert found["eta_squared"].iloc[0] == 1.0
    assert found["note"].iloc[0] == "this segmentation is mostly plan"
    assert found["note"].isna().tolist() == [False, True, True]
    assert found["contribution"].sum() == pytest.approx(1)


def test_without_differences_there_is_no_contribution():
    found = feature_importance(np.zeros((4, 1)), columns_of("a"), [*"xxyy"])
    assert found[["eta_squared", "contribution"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="points have 1 columns, the preparation 2"):
        feature_importance(np.zeros((4, 1)), columns_of("a", "b"), [*"xxyy"])


def test_gender_on_the_mall_has_its_published_counts():
    # 112 women and 88 men; mean age 38.85, income 60.56, score 50.20 (n = 200).
    mall = pd.read_csv(shared_file("mall_customers/Mall_Customers.csv.gz"))
    mall.columns = ["customer_id", "gender", "age", "income", "score"]
    found = differentiators(mall[["gender", "age", "income", "score"]], ["all"] * 200)
    found = found.set_index("feature")
    assert found["level"]["gender"] == "Female"
    assert found["mean"]["gender"] == 112 / 200
    means = found["mean"][["age", "income", "score"]].tolist()
    assert means == [38.85, 60.56, 50.2]
    assert (found["index_against_all"] == 1).all()
