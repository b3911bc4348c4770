"""Evidence: hand-worked stabilities, draws that keep what they should."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segmentation.clustering import fit_kmeans, silhouette
from segmentation.evidence import (
    Kept,
    calinski_harabasz,
    davies_bouldin,
    draw_without_clusters,
    refit_dbscan,
    refit_kmeans,
    refit_ward,
    separation,
    stability,
    structure,
    unimodal_shares,
)

LABELS = np.repeat([0, 1], 50)
LINE = np.arange(100.0)[:, None]


def test_stability_is_the_mean_rand_index_and_its_standard_error():
    other = np.repeat([0, 1], [60, 40])
    answers = iter([LABELS, other, LABELS, other])
    found = stability(
        LINE, lambda *_: next(answers), LABELS, resamples=4, random_seed=1
    )
    index = adjusted_rand_score(LABELS, other)
    mean = (1 + index) / 2
    # Four values, each half the difference from the mean; n - 1 in the variance.
    error = np.sqrt(4 * ((1 - index) / 2) ** 2 / 3) / 2
    assert found == pytest.approx((mean, error))


def test_refits_see_seventy_percent_of_at_most_so_many_rows_without_repetition():
    seen = []

    def refit(rows, points, random_seed):
        seen.append((len(rows), len(set(rows)), random_seed))
        return LABELS

    stability(LINE, refit, LABELS, resamples=3, random_seed=1)
    stability(LINE, refit, LABELS, resamples=3, most_rows=50, random_seed=1)
    assert [sizes[:2] for sizes in seen] == [(70, 70)] * 3 + [(35, 35)] * 3
    assert len({seed for *_, seed in seen[:3]}) == 3


@pytest.mark.parametrize(
    "refit",
    [refit_kmeans(3), refit_ward(3, Kept()), refit_dbscan(1.0)],
    ids=["kmeans", "hierarchical", "dbscan"],
)
def test_separated_clusters_are_stable_and_come_back_the_same(refit):
    points, truth = make_blobs(400, centers=[[0, 0], [20, 0], [0, 20]], random_state=1)
    found = [stability(points, refit, truth, resamples=5, random_seed=3) for _ in "ab"]
    assert found[0] == found[1]
    assert found[0][0] > 0.85


def test_a_gaussian_ball_is_unstable():
    points = np.random.default_rng(0).normal(size=(800, 3))
    _, labels, _ = fit_kmeans(points, 4, random_seed=1)
    mean, error = stability(points, refit_kmeans(4), labels, random_seed=1)
    assert mean + error < 0.8
    assert structure(mean, 9.0) == "unstable"


def test_draws_keep_the_marginals_and_the_rank_correlations():
    rng = np.random.default_rng(2)
    x = rng.lognormal(size=3000)
    points = np.column_stack([x, x * rng.lognormal(size=3000), rng.poisson(3, 3000)])
    drawn = np.vstack(list(draw_without_clusters(points, 4, rng)))
    assert drawn.shape == (4 * 1500, 3)
    assert set(drawn[:, 2]) <= set(points[:, 2])  # the levels of a discrete feature
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(drawn, share, axis=0) == pytest.approx(
            np.quantile(points, share, axis=0), rel=0.1, abs=0.05
        )
    expected, found = spearmanr(points).statistic, spearmanr(drawn).statistic
    assert np.abs(expected - found).max() < 0.06


def test_a_feature_that_does_not_vary_is_drawn_as_it_is():
    points = np.column_stack([np.arange(60.0), np.ones(60)])
    drawn = next(draw_without_clusters(points, 1, np.random.default_rng(0)))
    assert (drawn[:, 1] == 1).all()


def test_the_nearest_unimodal_shares_fill_the_gap_between_two_modes():
    # Densities 1, 0.2, 1 over equal widths: falling from the first, the regression
    # pools the last two to 0.6; rising to the last, the first two.
    values = np.array([0.0, 1.0, 2.0, 3.0])
    shares = np.array([0.0, 1.0, 1.2, 2.2]) / 2.2
    found = unimodal_shares(values, shares)
    assert found == pytest.approx([0, 0.6 / 2.2, 1.2 / 2.2, 1]) or found == (
        pytest.approx([0, 1 / 2.2, 1.6 / 2.2, 1])
    )
    unimodal = np.array([0.0, 0.2, 0.7, 1.0])
    assert unimodal_shares(values, unimodal) == pytest.approx(unimodal)


@pytest.mark.parametrize(
    "centres",
    [
        pytest.param([[0, 0], [8, 0], [0, 8]], id="in a triangle"),
        pytest.param([[0, 0], [8, 0], [0, 8], [8, 8]], id="on a grid"),
        pytest.param([[0], [8], [16]], id="on a line"),
    ],
)
def test_planted_clusters_are_separated(centres):
    points, truth = make_blobs(600, centers=centres, random_state=1)
    found = separation(
        points, len(centres), silhouette(points, truth), draws=10, random_seed=1
    )
    assert found > 3
    assert structure(1.0, found) == "separated"


def test_without_clusters_or_silhouette_there_is_no_separation():
    assert np.isnan(separation(LINE, 1, 0.5, random_seed=1))
    assert np.isnan(separation(LINE, 3, float("nan"), random_seed=1))
    assert np.isnan(separation(LINE[:3], 3, 0.5, random_seed=1))


def test_structure_answers_stable_first():
    assert structure(0.8, 3.0) == "separated"
    assert structure(0.8, 2.99) == "continuous"
    assert structure(0.8, float("nan")) == "continuous"
    assert structure(0.79, 3.0) == "unstable"
    assert structure(float("nan"), 3.0) == "unstable"


def test_indices_are_the_hand_worked_ones():
    # Two clusters, at -1 and 1 around 0 and around 10: spreads 1 and 1, centres 10
    # apart; between 2 * 2 * 25 with 1 degree of freedom, within 4 with 2.
    points, labels = np.array([[-1.0], [1], [9], [11]]), np.array([0, 0, 1, 1])
    assert davies_bouldin(points, labels) == pytest.approx(0.2)
    assert calinski_harabasz(points, labels) == pytest.approx(100 / (4 / 2))


@pytest.mark.parametrize("function", [davies_bouldin, calinski_harabasz])
def test_indices_are_undefined_for_one_cluster_and_for_none_but_single_points(function):
    points = np.arange(4.0)[:, None]
    assert np.isnan(function(points, np.zeros(4, dtype=int)))
    assert np.isnan(function(points, np.arange(4)))


def test_without_any_spread_within_the_ratio_of_variances_is_undefined():
    points = np.repeat([[0.0], [5.0]], 3, axis=0)
    assert np.isnan(calinski_harabasz(points, np.repeat([0, 1], 3)))


def test_what_two_threads_ask_for_at_once_is_computed_once():
    kept, calls = Kept(), []
    both_asked = threading.Barrier(2)

    def compute():
        calls.append(1)
        time.sleep(0.05)
        return len(calls)

    def ask(_):
        both_asked.wait()
        return kept.get("key", compute)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [1, 1]
    assert kept.get("other", compute) == 2


def test_kept_draws_give_the_separation_of_new_ones():
    points, truth = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=1)
    width, kept = silhouette(points, truth), Kept()
    for count in (3, 4, 3):
        found = separation(points, count, width, draws=4, random_seed=1, kept=kept)
        assert found == separation(points, count, width, draws=4, random_seed=1)
