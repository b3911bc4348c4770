"""Ranking: measures as scikit-learn has them, ties shared, weights as repetitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from segmentation.ranking import RESAMPLES, Ranking, deciles, interval, resamples

rng = np.random.default_rng(3)
SCORES = rng.integers(0, 20, 300).astype(float)  # many ties
POSITIVE = (rng.random(300) < SCORES / 25).astype(float)
AMOUNTS = rng.lognormal(size=300)
WEIGHTS = rng.integers(0, 4, 300).astype(float)
ONES = np.ones(300)


def test_areas_are_those_of_scikit_learn():
    ranking = Ranking(SCORES)
    for weights in (ONES, WEIGHTS):
        expected = roc_auc_score(POSITIVE, SCORES, sample_weight=weights)
        assert ranking.auc(weights, POSITIVE) == pytest.approx(expected, abs=1e-12)
        expected = average_precision_score(POSITIVE, SCORES, sample_weight=weights)
        found = ranking.average_precision(weights, POSITIVE)
        assert found == pytest.approx(expected, abs=1e-12)


def test_areas_of_one_class_are_undefined():
    assert np.isnan(Ranking(SCORES).auc(ONES, ONES))
    assert np.isnan(Ranking(SCORES).average_precision(ONES, 0 * ONES))


def test_gini_is_the_hand_worked_one():
    # Ranks 1 to 4 less their middle 2.5, from the lowest score.
    amounts, ones = np.array([0.0, 10, 20, 70]), np.ones(4)
    best = Ranking(amounts).gini(ones, amounts)
    assert best == pytest.approx(-0.5 * 10 + 0.5 * 20 + 1.5 * 70)
    # Scores that put 70 third and 20 last: -1.5 * 0 - .5 * 10 + .5 * 70 + 1.5 * 20.
    found = Ranking(np.array([1.0, 2, 4, 3])).gini(ones, amounts)
    assert found / best == pytest.approx(60 / 110)
    # Tied scores say nothing, and the reverse order is the reverse.
    assert Ranking(ones).gini(ones, amounts) == pytest.approx(0)
    assert Ranking(-amounts).gini(ones, amounts) == pytest.approx(-best)


def test_the_top_share_is_shared_by_those_tied_at_its_border():
    scores, ones = np.array([9.0, 5, 5, 5, 1]), np.ones(5)
    assert Ranking(scores).top(ones, 0.2).tolist() == [1, 0, 0, 0, 0]
    assert Ranking(scores).top(ones, 0.4) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert Ranking(scores).top(ones, 1.0).tolist() == [1] * 5


def test_a_weight_is_a_repetition():
    repeated = np.repeat(np.arange(300), WEIGHTS.astype(int))
    one = Ranking(SCORES)
    other = Ranking(SCORES[repeated])
    ones = np.ones(len(repeated))
    assert one.gini(WEIGHTS, AMOUNTS) == pytest.approx(
        other.gini(ones, AMOUNTS[repeated])
    )
    assert one.top(WEIGHTS, 0.1)[repeated] == pytest.approx(other.top(ones, 0.1))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.randoms())
def test_nothing_depends_on_the_row_order(scores, random):
    order = list(range(len(scores)))
    random.shuffle(order)
    scores = np.array(scores, dtype=float)
    ones = np.ones(len(scores))
    assert (deciles(scores)[order] == deciles(scores[order])).all()
    top = Ranking(scores).top(ones, 0.2)
    assert top[order] == pytest.approx(Ranking(scores[order]).top(ones, 0.2))
    assert top.sum() == pytest.approx(0.2 * len(scores))


def test_deciles_are_equal_tenths_without_ties():
    assert np.bincount(deciles(rng.random(200)), minlength=11)[1:].tolist() == [20] * 10


def test_resamples_are_drawn_with_repetition_and_are_the_same_for_the_same_seed():
    drawn = list(resamples(30, random_seed=4))
    assert len(drawn) == RESAMPLES
    assert {weights.sum() for weights in drawn} == {30}
    again = list(resamples(30, random_seed=4))
    assert all((a == b).all() for a, b in zip(drawn, again, strict=True))
    # Each of 30 draws passes a customer by with a chance of 29 in 30.
    assert np.mean(np.array(drawn) == 0) == pytest.approx((29 / 30) ** 30, abs=0.01)


def test_an_interval_leaves_out_what_is_undefined():
    assert interval(np.array([np.nan, *range(101)])) == pytest.approx((2.5, 97.5))
    assert np.isnan(interval(np.array([np.nan]))).all()
