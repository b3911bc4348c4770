"""Clustering: planted structure, hand-worked trees and covers, scoring as in SQL."""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segmentation import clustering
from segmentation.clustering import (
    ALGORITHMS,
    Clustering,
    NotConvergedError,
    assign,
    cut_ward,
    fit_clustering,
    fit_dbscan,
    fit_tertiles,
    fit_ward,
    knee_distance,
    label_agreement,
    peel,
    silhouette,
    weighted_ward,
)

CENTRES = [[0, 0], [20, 0], [0, 20]]


def blobs(count=300, *, spread=1.0, seed=1):
    return make_blobs(count, centers=CENTRES, cluster_std=spread, random_state=seed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_well_separated_clusters_are_found_by_every_algorithm(algorithm):
    points, truth = blobs()
    found = fit_clustering(points, algorithm, 3, random_seed=1)
    labels = assign(points, found)
    inside = labels >= 0
    assert adjusted_rand_score(truth[inside], labels[inside]) == 1
    assert inside.mean() > 0.9
    assert label_agreement(points, found) >= 0.95
    assert found.segment_count == 3
    if algorithm == "kmeans":  # ordered by the first coordinate, then the next
        assert (np.diff(found.prototypes[:, 0]) > 0).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_fit_repeated_is_the_same_fit(algorithm):
    points, _ = blobs(spread=4.0)
    try:
        found = [fit_clustering(points, algorithm, 3, random_seed=5) for _ in "ab"]
    except NotConvergedError:
        pytest.skip("no three density clusters here")
    np.testing.assert_array_equal(found[0].prototypes, found[1].prototypes)
    np.testing.assert_array_equal(found[0].segments, found[1].segments)


def test_beyond_the_radius_is_an_outlier_and_the_radius_itself_is_not():
    found = Clustering(
        np.array([[0.0], [10.0], [12.0]]), np.array([0, 1, -1]), 2.0, np.array([]), 0.0
    )
    points = np.array([[0.0], [2.0], [2.1], [8.0], [10.9], [11.5], [13.0], [99.0]])
    assert assign(points, found).tolist() == [0, 0, -1, 1, 1, -1, -1, -1]
    assert found.segment_count == 2


def test_distances_in_blocks_are_the_same_distances(monkeypatch):
    points = np.random.default_rng(0).normal(size=(500, 3))
    found = fit_clustering(points, "kmeans", 4, random_seed=1)
    whole = assign(points, found)
    monkeypatch.setattr(clustering, "BLOCK", 40)
    np.testing.assert_array_equal(assign(points, found), whole)


# ---- the small far cluster ---------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["kmeans", "hierarchical"])
def test_a_small_far_cluster_is_peeled_off_as_the_outliers(algorithm):
    points, truth = blobs()
    far = np.random.default_rng(0).normal(-80, 1, size=(5, 2))
    points = np.vstack([points, far])
    found = fit_clustering(points, algorithm, 4, random_seed=1)
    labels = assign(points, found)
    assert labels[-5:].tolist() == [-1] * 5
    assert adjusted_rand_score(truth, labels[:-5]) == 1
    assert found.segment_count == 3
    assert found.segments[-1] == -1
    assert (np.diff(found.segments[:-1]) >= 0).all()
    assert label_agreement(points, found) == 1


def test_a_small_cluster_beside_others_and_a_far_one_of_two_percent_are_segments():
    points, _ = blobs(245)
    far = np.full((5, 2), -80.0)
    found = fit_clustering(np.vstack([points, far]), "kmeans", 4, random_seed=1)
    assert found.segment_count == 4  # 5 of 250 are 2 %
    near = np.vstack([points, [[25.0, 0.0], [28.0, 3.0], [28.0, -3.0]]])
    labels = np.append(
        fit_clustering(points, "kmeans", 3, random_seed=1).own_labels, [3] * 3
    )
    centres = np.array([near[labels == label].mean(axis=0) for label in range(4)])
    kept = Clustering(centres, np.arange(4), np.inf, labels, 0.0)
    assert peel(near, kept) is kept


def test_of_two_clusters_none_is_peeled_off():
    points = np.vstack([np.random.default_rng(0).normal(size=(200, 2)), [[90.0, 90.0]]])
    assert fit_clustering(points, "kmeans", 2, random_seed=1).segment_count == 2


# ---- Ward --------------------------------------------------------------------------


def test_the_tree_of_points_is_the_one_of_scikit_learn():
    points = np.random.default_rng(4).normal(size=(300, 3))
    tree = fit_ward(points, random_seed=1)
    for count in (1, 2, 5, 300):
        expected = AgglomerativeClustering(count).fit_predict(points)
        assert adjusted_rand_score(expected, tree.labels(count)) == 1


def test_weights_count_as_so_many_equal_points():
    rng = np.random.default_rng(7)
    centres, weights = rng.normal(size=(40, 2)), rng.integers(1, 9, 40)
    repeated = np.repeat(centres, weights, axis=0)
    leaves = np.repeat(np.arange(40), weights)
    tree = clustering.WardTree(weighted_ward(centres, weights), leaves)
    for count in (2, 3, 6, 12):
        expected = AgglomerativeClustering(count).fit_predict(repeated)
        assert adjusted_rand_score(expected, tree.labels(count)) == 1


def test_many_points_are_merged_from_weighted_micro_clusters(monkeypatch):
    monkeypatch.setattr(clustering, "WARD_ROWS", 500)
    monkeypatch.setattr(clustering, "MICRO_CLUSTERS", 60)
    points, truth = make_blobs(
        [1000, 300, 60], centers=CENTRES, cluster_std=1.5, random_state=2
    )
    tree = fit_ward(points, random_seed=1)
    assert len(tree.children) < 60
    found = cut_ward(points, tree, 3, random_seed=1)
    assert adjusted_rand_score(truth, assign(points, found)) == 1


def test_a_segment_gets_as_many_prototypes_as_its_labels_take():
    points = np.random.default_rng(3).normal(size=(1500, 2))
    tree = fit_ward(points, random_seed=1)
    found = cut_ward(points, tree, 5, random_seed=1)
    sizes = np.bincount(found.segments[found.segments >= 0])
    assert 1 < sizes.max() <= 16
    assert label_agreement(points, found) >= 0.95
    means = np.array(
        [points[found.own_labels == label].mean(axis=0) for label in range(len(sizes))]
    )
    alone = (clustering.nearest(points, means) == found.own_labels).mean()
    assert alone < label_agreement(points, found)


def test_more_clusters_than_leaves_are_an_error():
    points = np.arange(5.0)[:, None]
    with pytest.raises(NotConvergedError, match="only 5 leaves"):
        cut_ward(points, fit_ward(points, random_seed=1), 6, random_seed=1)


# ---- DBSCAN ------------------------------------------------------------------------


def test_elongated_clusters_and_noise_are_found_by_density():
    moons, truth = make_moons(800, noise=0.05, random_state=0)
    noise = np.random.default_rng(0).uniform(-4, 5, size=(40, 2))
    points = np.vstack([moons, noise])
    found = fit_clustering(points, "dbscan", 2, random_seed=1)
    labels = assign(points, found)
    inside = labels[:800] >= 0
    assert inside.mean() > 0.9
    assert adjusted_rand_score(truth[inside], labels[:800][inside]) > 0.99
    assert (labels[800:] == -1).mean() > 0.6
    by_kmeans = fit_clustering(points, "kmeans", 2, random_seed=1)
    assert adjusted_rand_score(truth, assign(points, by_kmeans)[:800]) < 0.6


def test_prototypes_give_back_the_labels_of_rows_they_have_not_seen():
    moons, truth = make_moons(2000, noise=0.05, random_state=1)
    found = fit_clustering(moons[:1000], "dbscan", 2, random_seed=1)
    assert len(found.prototypes) < 500
    labels = assign(moons[1000:], found)
    inside = labels >= 0
    assert inside.mean() > 0.9
    assert adjusted_rand_score(truth[1000:][inside], labels[inside]) > 0.99


def test_the_cover_leaves_no_core_point_farther_than_half_the_radius():
    points, _ = blobs(900)
    found = fit_dbscan(points)[0]
    core = points[found.own_labels >= 0]
    gaps = np.linalg.norm(core[:, None] - found.prototypes[None], axis=2).min(axis=1)
    assert np.quantile(gaps, 0.9) <= found.radius / 2


def test_the_cover_is_widened_at_the_most_prototypes(monkeypatch):
    points, _ = blobs(900)
    many = len(fit_dbscan(points)[0].prototypes)
    monkeypatch.setattr(clustering, "MAXIMUM_PROTOTYPES", many // 2)
    assert len(fit_dbscan(points)[0].prototypes) <= many // 2


def test_clusters_below_two_percent_are_noise():
    points, _ = blobs(1500)
    few = np.random.default_rng(0).normal(60, 0.3, size=(20, 2))
    found = fit_dbscan(np.vstack([points, few]))[0]
    assert found.segment_count == 3
    assert (found.own_labels[-20:] == -1).all()


def test_equal_rows_have_no_density_to_tell_them_by():
    points = np.ones((60, 2))
    assert knee_distance(points) == 0
    assert fit_dbscan(points) == []
    with pytest.raises(NotConvergedError, match="no eps gives 3 density clusters"):
        fit_clustering(points, "dbscan", 3, random_seed=1)


def test_only_the_first_rows_are_clustered_by_density(monkeypatch):
    points, _ = blobs(600)
    monkeypatch.setattr(clustering, "DBSCAN_ROWS", 300)
    found = fit_dbscan(points)[0]
    assert len(found.own_labels) == 300
    assert label_agreement(points, found) >= 0.95


def test_the_silhouette_is_the_one_of_scikit_learn(monkeypatch):
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(200, 3)), rng.choice([0, 2, 5], 200)
    expected = silhouette_score(points, labels)
    assert silhouette(points, labels) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(clustering, "BLOCK", 900)  # four rows at a time
    assert silhouette(points, labels) == pytest.approx(expected, abs=1e-12)


def test_a_cluster_of_one_and_equal_points_have_the_silhouette_zero():
    points = np.array([[0.0], [0.0], [0.0], [4.0]])
    labels = np.array([0, 0, 1, 2])
    # The first two: a = 0, b = 0 to the third. The others are alone.
    assert silhouette(points, labels) == 0
    assert np.isnan(silhouette(points, np.zeros(4)))
    assert np.isnan(silhouette(points, np.arange(4)))


def test_thirds_have_their_boundaries_at_the_tertiles():
    # Places 0 to 9 along (0.6, 0.8): the tertiles are 3 and 6, the mean 4.5; the
    # prototypes lie at 1.5, 4.5 and 7.5.
    direction = np.array([0.6, 0.8])
    found = fit_tertiles(np.arange(10.0)[:, None] * direction + 1, direction)
    expected = np.array([[1.5], [4.5], [7.5]]) * direction + 1
    np.testing.assert_allclose(found.prototypes, expected, atol=1e-9)
    # On a boundary the lower third has the customer.
    assert found.own_labels.tolist() == [0] * 4 + [1] * 3 + [2] * 3
    assert found.segment_count == 3


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([40, 55, 5], [40, 55, 5]),
        ([40, 59, 1], None),  # a third of 1 %
        ([70, 20, 10], None),  # both tertiles are the first place
    ],
)
def test_thirds_that_cannot_be_told_apart_are_none(counts, expected):
    found = fit_tertiles(np.repeat([[0.0], [1.0], [2.0]], counts, axis=0), np.ones(1))
    assert (found and np.bincount(found.own_labels).tolist()) == expected


def test_an_unknown_algorithm_is_an_error():
    with pytest.raises(ValueError, match="unknown algorithm 'ward'; known: 'kmeans'"):
        fit_clustering(np.ones((9, 1)), "ward", 2, random_seed=1)
