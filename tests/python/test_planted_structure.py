"""Planted structure: what is there is found, and what is not there is not claimed."""

import numpy as np
import pytest
from samples import EMPTY, chosen, sample_of, scored, settings_of
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from segmentation import candidates
from segmentation.clustering import ALGORITHMS
from segmentation.prototypes import fit_prototypes

RNG = np.random.default_rng(12)
TRIANGLE = [[0, 0], [20, 0], [0, 20]]
SEPARATED = make_blobs(450, centers=TRIANGLE, random_state=1)[0]
OVERLAPPING = make_blobs(900, centers=TRIANGLE, cluster_std=5, random_state=1)[0]
MOONS, WHICH_MOON = make_moons(800, noise=0.05, random_state=0)
NOISE = RNG.uniform(-4, 5, size=(40, 2))
ONE_GROUP = RNG.normal(size=(800, 3))
BY_CENTRES = ("kmeans", "hierarchical")


@pytest.fixture(autouse=True)
def without_comparisons(monkeypatch):
    """Only the configured algorithm is the subject."""
    monkeypatch.setattr(candidates, "_comparisons", lambda *_: [])


def judged(points, **changes):
    """The candidates, and the prototypes that follow from them."""
    sample = sample_of(points)
    names = [name for name in sample if name.startswith("f")]
    settings = settings_of(names, **changes)
    found = candidates.evaluate_candidates(sample, settings, EMPTY)
    return found, fit_prototypes(sample, settings, found, EMPTY)


def outcome(found):
    """Chosen k and structure, or None and the status with its reason."""
    row = chosen(found)
    if len(row):
        return row["cluster_count"].item(), row["structure"].item()
    assert found["reason"].iloc[-1]
    return None, found["status"].iloc[-1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_well_separated_groups_are_found_and_called_separated(algorithm):
    found, prototypes = judged(SEPARATED, algorithm=algorithm)
    assert outcome(found) == (3, "separated")
    # The outliers of DBSCAN may have no prototype.
    assert prototypes["segment_id"].nunique() == 3


def test_overlapping_groups_are_usable_but_less_stable():
    apart, _ = judged(SEPARATED)
    found, _ = judged(OVERLAPPING)
    assert outcome(found)[0] == 3
    for measure in ("stability", "separation", "silhouette"):
        assert chosen(found)[measure].item() < chosen(apart)[measure].item()


def test_elongated_groups_with_noise_are_found_by_density_and_not_by_centres():
    points = np.vstack([MOONS, NOISE])
    found, prototypes = judged(points, algorithm="dbscan", minimum_cluster_count=2)
    assert outcome(found)[0] == 2
    # Forty of 840 are noise; some lie on the moons, and the moons have their own.
    assert 0.02 < chosen(found)["noise_share"].item() < 0.10
    labels = scored(sample_of(points), prototypes).to_numpy()
    outliers = prototypes["outlier_segment_id"].iloc[0]
    assert (labels[800:] == outliers).mean() > 0.6
    inside = labels[:800] != outliers
    assert inside.mean() > 0.95
    assert adjusted_rand_score(WHICH_MOON[inside], labels[:800][inside]) > 0.99
    # Two centres are stable too, but cut across both moons.
    found, prototypes = judged(points, cluster_count="2")
    labels = scored(sample_of(points), prototypes).to_numpy()
    assert chosen(found)["noise_share"].item() == 0
    assert adjusted_rand_score(WHICH_MOON, labels[:800]) < 0.6


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_group_only_is_never_called_separated(algorithm):
    found, prototypes = judged(ONE_GROUP, algorithm=algorithm)
    assert outcome(found)[0] is None
    assert outcome(found)[1] in ("unstable", "not_fitted")
    assert prototypes.empty


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("points", "status"),
    [
        pytest.param(np.ones((80, 2)), "no_variation", id="all rows equal"),
        pytest.param(
            np.repeat([[0, 0], [1, 1]], 40, axis=0), "no_variation", id="two rows"
        ),
        pytest.param(SEPARATED[:49], "insufficient_data", id="49 rows"),
        pytest.param(SEPARATED[:0], "insufficient_data", id="no rows"),
    ],
)
def test_too_little_is_said_by_every_algorithm(algorithm, points, status):
    found, prototypes = judged(points, algorithm=algorithm)
    assert outcome(found) == (None, status)
    assert len(found) == 1
    assert prototypes.empty


@pytest.mark.parametrize("algorithm", BY_CENTRES)
def test_fewer_distinct_rows_than_k_are_fitted_as_far_as_they_go(algorithm):
    four = np.repeat([[0, 0], [0, 2], [9, 9], [9, 30]], 20, axis=0)
    found, _ = judged(four, algorithm=algorithm)
    assert found["cluster_count"].dropna().tolist() == [2, 3, 4]
    found, prototypes = judged(four, algorithm=algorithm, cluster_count="5")
    assert outcome(found) == (None, "not_fitted")
    assert prototypes.empty


LINE = np.concatenate(
    [np.random.default_rng(1).normal(place, 1, 150) for place in (0, 20, 40)]
)


@pytest.mark.parametrize("algorithm", BY_CENTRES)
def test_one_feature_is_enough(algorithm):
    found, prototypes = judged(LINE, algorithm=algorithm)
    assert outcome(found) == (3, "separated")
    assert set(prototypes["feature"]) == {"f0"}


@pytest.mark.parametrize("seed", range(3))
def test_density_along_one_feature_may_split_groups_but_joins_none(seed):
    # The nearest neighbours on a line are so near that the knee lies low.
    rng = np.random.default_rng(seed)
    line = np.concatenate([rng.normal(place, 1, 150) for place in (0, 20, 40)])
    found, prototypes = judged(line, algorithm="dbscan")
    assert outcome(found)[0] >= 3
    labels = scored(sample_of(line), prototypes).to_numpy()
    inside = labels != prototypes["outlier_segment_id"].iloc[0]
    assert inside.mean() > 0.8
    pairs = set(zip(labels[inside], np.repeat([0, 1, 2], 150)[inside], strict=True))
    assert len(pairs) == len({label for label, _ in pairs})
