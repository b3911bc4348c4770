"""Prototypes: hand-worked parameters, versions and the identity of segments."""

from functools import partial
from statistics import quantiles

import numpy as np
import pandas as pd
import pytest
import samples
from samples import EMPTY, labels_of, online_retail_rfm, publish, sample_of, scored
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segmentation import candidates as candidates_module
from segmentation import prototypes as prototypes_module
from segmentation.candidates import evaluate_candidates
from segmentation.prototypes import (
    ORIGINAL_COLUMNS,
    PROTOTYPE_DTYPES,
    fit_prototypes,
    version_in_force,
)


@pytest.fixture(autouse=True)
def quick_evidence(monkeypatch):
    """A few resamples and draws only: the choice of k is not the subject here."""
    monkeypatch.setattr(candidates_module, "RESAMPLES", 3)
    monkeypatch.setattr(candidates_module, "DRAWS", 2)
    monkeypatch.setattr(candidates_module, "MORE_DRAWS", 2)
    slow = {"resamples": 2, "most_rows": 300}
    monkeypatch.setattr(candidates_module, "SLOW", slow)
    monkeypatch.setattr(candidates_module, "_comparisons", lambda *_: [])


settings_of = partial(samples.settings_of, cluster_count="3")
# Places and customers of a shop whose segment at 200 falls apart into 195 and 206.
PLACES = np.repeat([0.0, 100.0, 195.0, 206.0], [60, 60, 20, 40])


def fit(sample, settings, registry=EMPTY):
    candidates = evaluate_candidates(sample, settings, registry)
    return fit_prototypes(sample, settings, candidates, registry)


def centres(fitted):
    return dict(zip(fitted["segment_id"], fitted["centre"], strict=True))


def parents(fitted):
    pairs = fitted.dropna(subset="parent_segment_id").drop_duplicates("segment_id")
    return dict(zip(pairs["segment_id"], pairs["parent_segment_id"], strict=True))


@pytest.fixture
def split():
    """Three segments, published; then four, published: the third was split."""
    first = fit(sample_of(PLACES), settings_of())
    second = fit(sample_of(PLACES), settings_of(cluster_count="4"), first)
    return publish(first, second)


def test_a_first_fit_has_the_hand_worked_parameters():
    points = np.repeat([[0, 5], [10, 7], [50, 3]], 20, axis=0)
    settings = settings_of(("f0", "f1"), scaling="standard")
    found = fit(sample_of(points), settings)
    assert found.dtypes.astype(str).to_dict() == PROTOTYPE_DTYPES
    assert found["segment_id"].tolist() == [f"value-{n}" for n in (1, 1, 2, 2, 3, 3)]
    assert found["prototype_id"].tolist() == [1, 1, 2, 2, 3, 3]
    assert found["feature"].tolist() == ["f0", "f1"] * 3
    assert found["position"].tolist() == [1, 2] * 3
    # Means 20 and 5; variances (400 + 100 + 900) / 3 and (0 + 4 + 4) / 3.
    deviation, other = np.sqrt(1400 / 3), np.sqrt(8 / 3)
    assert found["centring"].tolist() == [20.0, 5.0] * 3
    assert found["scale"].tolist() == [round(deviation, 9), round(other, 9)] * 3
    expected = [
        -20 / deviation,
        0,
        -10 / deviation,
        2 / other,
        30 / deviation,
        -2 / other,
    ]
    assert found["centre"].tolist() == pytest.approx(expected, abs=2e-9)
    assert (found["centre"] == found["centre"].round(9)).all()
    assert found["training_customers"].tolist() == [20] * 6
    assert set(found["model_version"]) == {1}
    assert set(found["as_of_date"]) == {pd.Timestamp("2024-06-01")}
    assert set(found["status"]) == {"fitted"}
    assert set(found["reason"]) == {"first version"}
    assert found["parent_segment_id"].isna().all()
    assert set(found["model_hash"].str.len()) == {64}


def test_the_nearest_prototype_gives_back_well_separated_blobs():
    points, truth = make_blobs(
        400, centers=[[0, 0], [20, 0], [0, 20], [20, 20]], random_state=4
    )
    settings = settings_of(("f0", "f1"), cluster_count="auto", scaling="standard")
    found = fit(sample_of(points), settings)
    wide = found.pivot_table("centre", "segment_id", "position").to_numpy()
    preparation = found.head(2)
    prepared = (points - preparation["centring"].array) / preparation["scale"].array
    distances = np.linalg.norm(prepared[:, None] - wide, axis=2)
    assert adjusted_rand_score(truth, distances.argmin(axis=1)) == 1


def test_segments_do_not_depend_on_the_seed_where_they_are_separated():
    settings = settings_of(cluster_count="4")
    found = [
        fit(sample_of(PLACES), settings.assign(random_seed=seed)) for seed in (0, 7)
    ]
    pd.testing.assert_frame_equal(*found)


def test_results_do_not_depend_on_row_order_or_customer_ids():
    sample = sample_of(np.random.default_rng(2).normal(200, 60, size=(300, 2)))
    settings = settings_of(("f0", "f1"), scaling="standard", cluster_count="5")
    registry = fit(sample, settings_of(("f0", "f1"), cluster_count="4"))
    candidates = evaluate_candidates(sample, settings, registry)
    expected = fit_prototypes(sample, settings, candidates, registry)
    relabelled = sample.assign(customer_id=sample["customer_id"].str.upper())
    found = fit_prototypes(
        relabelled.sample(frac=1, random_state=1, ignore_index=True),
        settings.iloc[::-1],
        candidates.iloc[::-1],
        registry.sample(frac=1, random_state=1, ignore_index=True),
    )
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["model_version"]) == {2}
    assert set(found["segment_id"]) & set(registry["segment_id"])


def test_cents_instead_of_euros_give_the_same_segments():
    rng = np.random.default_rng(8)
    euros = sample_of(rng.gamma(2, 50, size=(500, 2)).round(2))
    cents = euros.assign(f0=euros["f0"] * 100)
    settings = settings_of(("f0", "f1"), scaling="standard", cluster_count="4")
    found = [fit(sample, settings) for sample in (euros, cents)]
    np.testing.assert_allclose(found[0]["centre"], found[1]["centre"], atol=1e-7)
    columns = ["segment_id", "feature", "training_customers"]
    pd.testing.assert_frame_equal(found[0][columns], found[1][columns])


@pytest.mark.parametrize("dtype", ["object", "float64", "Int32", "str", "bool"])
def test_an_empty_registry_may_have_any_dtypes(dtype):
    pd.testing.assert_frame_equal(
        fit(sample_of(PLACES), settings_of(), EMPTY.astype(dtype)),
        fit(sample_of(PLACES), settings_of()),
    )


def test_an_unchanged_refit_returns_the_published_version_and_appends_nothing(split):
    later = settings_of(cluster_count="4", as_of_date=pd.Timestamp("2024-09-01"))
    found = fit(sample_of(PLACES), later, split)
    published = split[split["model_version"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, published)
    assert len(publish(split, found)) == len(split)


def test_an_unchanged_refit_on_auto_with_overlapping_segments_appends_nothing():
    points = np.random.default_rng(3).multivariate_normal(
        [3, 3], [[1, 0.85], [0.85, 1]], 1000
    )
    sample = sample_of(np.exp(points))
    settings = settings_of(
        ("f0", "f1"), cluster_count="auto", transform="log1p", scaling="standard"
    )
    first = fit(sample, settings)
    assert len(first) > 0
    pd.testing.assert_frame_equal(fit(sample, settings, first), first)


def test_changed_data_make_a_new_version_with_the_old_ids():
    first = fit(sample_of(PLACES), settings_of())
    later = settings_of(as_of_date=pd.Timestamp("2024-07-01"))
    found = fit(sample_of(PLACES + 1), later, first)
    assert centres(found) == {i: centre + 1 for i, centre in centres(first).items()}
    assert set(found["model_version"]) == {2}
    assert set(found["as_of_date"]) == {pd.Timestamp("2024-07-01")}
    assert set(found["reason"]) == {"the data changed since version 1"}
    assert found["model_hash"].iloc[0] != first["model_hash"].iloc[0]


def test_ids_survive_another_order_of_the_clusters():
    # The same customers; higher values become lower ones.
    first = fit(sample_of(PLACES).assign(f1=-PLACES), settings_of())
    found = fit(
        sample_of(PLACES).assign(f1=-PLACES),
        settings_of(("f1",), configuration_hash="negative"),
        first,
    )
    assert centres(found) == {i: -centre for i, centre in centres(first).items()}
    assert found["prototype_id"].tolist() == [1, 2, 3]
    assert set(found["reason"]) == {"the configuration changed since version 1"}


def test_ids_survive_another_scaling():
    first = fit(sample_of(PLACES), settings_of())
    found = fit(sample_of(PLACES), settings_of(scaling="standard"), first)
    raw = found["centre"] * found["scale"] + found["centring"]
    expected = pd.Series(centres(first))[found["segment_id"]]
    assert raw.tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_larger_child_of_a_split_keeps_the_id(split):
    found = split[split["model_version"] == 2]
    assert centres(found) == {
        "value-1": 0.0,
        "value-2": 100.0,
        "value-3": 206.0,
        "value-4": 195.0,
    }
    assert parents(found) == {"value-4": "value-3"}
    assert found["training_customers"].tolist() == [60, 60, 40, 20]


def test_the_parent_stays_recorded_in_later_versions(split):
    found = fit(sample_of(PLACES + 1), settings_of(cluster_count="4"), split)
    assert set(found["model_version"]) == {3}
    assert parents(found) == {"value-4": "value-3"}


def test_another_recorded_parent_is_another_model(split):
    corrected = split.assign(
        parent_segment_id=split["parent_segment_id"].replace("value-3", "value-2")
    )
    found = fit(sample_of(PLACES), settings_of(cluster_count="4"), corrected)
    assert parents(found) == {"value-4": "value-2"}
    assert set(found["model_version"]) == {3}


def test_a_merge_retires_the_smaller_parent_and_its_number_is_not_used_again(split):
    settings = settings_of(configuration_hash="three again")
    merged = fit(sample_of(PLACES), settings, split)
    assert sorted(centres(merged)) == ["value-1", "value-2", "value-3"]
    assert parents(merged) == {}
    registry = publish(split, merged)
    again = fit(sample_of(PLACES), settings_of(cluster_count="4"), registry)
    assert sorted(centres(again)) == ["value-1", "value-2", "value-3", "value-5"]
    assert parents(again) == {"value-5": "value-3"}
    assert set(again["model_version"]) == {4}


def test_prototypes_are_ordered_by_number_and_not_by_text():
    first = fit(sample_of(PLACES), settings_of())
    ids = first["segment_id"].replace({"value-3": "value-10"})
    found = fit(sample_of(PLACES + 1), settings_of(), first.assign(segment_id=ids))
    assert found["segment_id"].tolist() == ["value-1", "value-2", "value-10"]


@pytest.mark.parametrize("value", [None, np.nan])
def test_segments_by_features_that_are_gone_all_get_new_ids(value):
    first = fit(sample_of(PLACES), settings_of())
    renamed = sample_of(PLACES).rename(columns={"f0": "g"})
    settings = settings_of(("g",), configuration_hash="other")
    for sample in (renamed, renamed.assign(f0=value)):
        found = fit(sample, settings, first)
        assert found["segment_id"].tolist() == ["value-4", "value-5", "value-6"]
        assert parents(found) == {}
        assert set(found["model_version"]) == {2}


def test_a_past_date_gets_the_version_in_force_then():
    first = fit(sample_of(PLACES), settings_of())
    later = settings_of(as_of_date=pd.Timestamp("2024-07-01"))
    registry = publish(first, fit(sample_of(PLACES + 1), later, first))
    between = settings_of(as_of_date=pd.Timestamp("2024-06-15"))
    before = settings_of(as_of_date=pd.Timestamp("2023-01-01"))
    for settings in (between, before):
        found = fit(sample_of(PLACES + 2), settings, registry)
        as_it_is = found.columns.difference(["status", "reason"])
        pd.testing.assert_frame_equal(found[as_it_is], first[as_it_is])
        assert set(found["status"]) == {"rebuilt"}
    assert set(found["reason"]) == {"version 1 was in force as of 2023-01-01"}
    found = fit(sample_of(PLACES + 1), later, registry)
    assert set(found["model_version"]) == {2}
    assert set(found["status"]) == {"fitted"}


def test_a_past_date_is_rebuilt_even_with_too_little_data():
    first = fit(sample_of(PLACES), settings_of())
    before = settings_of(as_of_date=pd.Timestamp("2023-01-01"))
    found = fit(sample_of(PLACES[:10]), before, first)
    assert set(found["status"]) == {"rebuilt"}


def test_the_version_in_force_is_the_highest_not_later_than_the_date():
    published = pd.DataFrame(
        {
            "model_version": pd.array([1, 2, 3], dtype="Int64"),
            "as_of_date": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01"]),
        }
    )
    dates = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01"]
    found = [version_in_force(published, day)["model_version"].item() for day in dates]
    assert found == [1, 1, 1, 3]
    assert version_in_force(published.head(0), "2024-01-01").empty


def test_without_a_clock_the_last_version_is_in_force_and_is_refitted():
    """Customers without orders have no as-of date."""
    published = pd.DataFrame(
        {
            "model_version": pd.array([1, 2], dtype="Int64"),
            "as_of_date": pd.to_datetime([None, None]),
        }
    )
    assert version_in_force(published, pd.NaT)["model_version"].tolist() == [2]
    timeless = settings_of(as_of_date=pd.NaT)
    first = fit(sample_of(PLACES), timeless)
    assert first["as_of_date"].isna().all()
    again = fit(sample_of(PLACES), timeless, first)
    assert set(again["model_version"]) == {1}
    moved = fit(sample_of(PLACES + 1), timeless, first)
    assert set(moved["model_version"]) == {2}
    assert set(moved["segment_id"]) == set(first["segment_id"])


def test_too_little_data_keep_the_published_version_with_the_reason():
    first = fit(sample_of(PLACES), settings_of())
    found = fit(sample_of(PLACES[:49]), settings_of(), first)
    as_it_is = found.columns.difference(["status", "reason"])
    pd.testing.assert_frame_equal(found[as_it_is], first[as_it_is])
    assert set(found["status"]) == {"kept"}
    assert set(found["reason"]) == {"49 sampled customers; at least 50 are needed"}


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(PLACES[:49], id="49 rows"),
        pytest.param(np.ones(80), id="all rows equal"),
        pytest.param(np.repeat([1, 2], 40), id="fewer distinct rows than k"),
    ],
)
def test_without_a_fit_or_a_published_version_the_frame_is_empty_but_typed(points):
    found = fit(sample_of(points), settings_of())
    assert found.empty
    assert found.dtypes.astype(str).to_dict() == PROTOTYPE_DTYPES


def test_the_hash_depends_on_the_parameters_and_not_on_the_date():
    def model_hash(points=PLACES, **changes):
        return fit(sample_of(points), settings_of(**changes))["model_hash"].iloc[0]

    base = model_hash()
    assert model_hash(as_of_date=pd.Timestamp("2020-01-01")) == base
    assert model_hash(PLACES + 1e-12) == base
    assert model_hash(PLACES + 1e-6) != base
    assert model_hash(configuration_hash="other") != base
    assert model_hash(scaling="standard", configuration_hash="3 none") != base


def test_segmentations_do_not_influence_each_other():
    other = sample_of(PLACES[::-1] * 3, "behaviour").rename(columns={"f0": "f1"})
    sample = pd.concat([sample_of(PLACES), other])
    settings = pd.concat(
        [settings_of(), settings_of(("f1",), segmentation="behaviour")]
    )
    found = fit(sample, settings)
    assert found["segmentation"].unique().tolist() == ["behaviour", "value"]
    alone = fit(sample_of(PLACES), settings_of())
    own = found[found["segmentation"] == "value"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone)
    # One has too little data; the other is fitted all the same.
    few = sample[(sample["segmentation"] == "value") | (sample["sample_rank"] < 20)]
    pd.testing.assert_frame_equal(fit(few, settings), alone)


def test_inputs_stay_as_they_are(split):
    sample, settings = sample_of(PLACES + 1).iloc[::-1], settings_of(cluster_count="4")
    frames = (sample, settings, evaluate_candidates(sample, settings, split), split)
    before = [frame.copy(deep=True) for frame in frames]
    fit_prototypes(*frames)
    for frame, copy in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_wrong_frames_are_errors():
    sample, settings = sample_of(PLACES), settings_of()
    candidates = evaluate_candidates(sample, settings, EMPTY)

    def fails(message, **changes):
        frames = {
            "sample": sample,
            "settings": settings,
            "candidates": candidates,
            "registry": EMPTY,
        }
        with pytest.raises(ValueError, match=message):
            fit_prototypes(**(frames | changes))

    fails("sample lacks the column 'f0'", sample=sample.drop(columns="f0"))
    unchosen = candidates.drop(columns="is_chosen")
    fails("candidates lacks the column 'is_chosen'", candidates=unchosen)
    fails("registry lacks the column 'centre'", registry=EMPTY.drop(columns="centre"))
    fails("no rows of segmentation 'value'", candidates=candidates.head(0))
    fails("choices for segmentation", candidates=candidates.assign(is_chosen=True))
    gaps = sample.assign(f0=sample["f0"].where(sample["f0"] > 0))
    fails("feature 'f0' has 60 values that are no finite number", sample=gaps)


def test_the_first_registries_go_on_as_they_were():
    first = fit(sample_of(PLACES), settings_of())
    old = first[list(ORIGINAL_COLUMNS)]
    pd.testing.assert_frame_equal(fit(sample_of(PLACES), settings_of(), old), first)
    # Their hash is not another one for the columns that came later.
    assert first["radius"].isna().all() and first["outlier_segment_id"].isna().all()
    later = fit(sample_of(PLACES + 1), settings_of(), old)
    assert set(later["model_version"]) == {2}
    assert centres(later).keys() == centres(first).keys()


# ---- other algorithms, and outliers ------------------------------------------------

BLOBS, _ = make_blobs(300, centers=[[0, 0], [20, 0], [0, 20]], random_state=1)
FAR = np.random.default_rng(0).normal(90, 1, size=(4, 2))


@pytest.mark.parametrize("algorithm", ["kmeans", "hierarchical"])
def test_a_small_far_group_is_the_outliers_with_a_prototype(algorithm):
    points = np.vstack([BLOBS, FAR])
    settings = settings_of(("f0", "f1"), cluster_count="4", algorithm=algorithm)
    found = fit(sample_of(points), settings)
    assert set(found["outlier_segment_id"]) == {"value-4"}
    assert set(found["segment_id"]) == {f"value-{number}" for number in (1, 2, 3, 4)}
    assert found["radius"].isna().all()
    labels = labels_of(points, found)
    assert set(labels[-4:]) == {"value-4"} and "value-4" not in labels[:-4]
    outliers = found[found["segment_id"] == "value-4"]
    assert outliers["training_customers"].tolist() == [4, 4]


def test_density_clusters_have_many_prototypes_a_radius_and_outliers():
    rng = np.random.default_rng(2)
    points = np.vstack([BLOBS, rng.uniform(-40, 60, size=(20, 2))])
    settings = settings_of(("f0", "f1"), cluster_count="3", algorithm="dbscan")
    found = fit(sample_of(points), settings)
    prototypes = found.drop_duplicates("prototype_id")
    assert len(prototypes) > 3
    assert prototypes["prototype_id"].tolist() == list(range(1, len(prototypes) + 1))
    assert len(set(prototypes["radius"])) == 1
    assert set(found["segment_id"]) == {"value-1", "value-2", "value-3"}
    assert set(found["outlier_segment_id"]) == {"value-4"}
    inside = (labels_of(points, found) != "value-4").sum()
    assert prototypes["training_customers"].sum() == inside < len(points)
    # Unchanged: nothing is appended. Changed: all ids stay, the outliers' too.
    pd.testing.assert_frame_equal(fit(sample_of(points), settings, found), found)
    later = fit(sample_of(points + 1), settings, found)
    assert set(later["model_version"]) == {2}
    np.testing.assert_array_equal(
        labels_of(points + 1, later), labels_of(points, found)
    )
    wider = found.assign(radius=found["radius"] * 2)
    assert prototypes_module._model_hash(wider) != found["model_hash"].iloc[0]


def test_ids_go_on_from_one_algorithm_to_another():
    points = np.vstack([BLOBS, FAR])
    settings = settings_of(("f0", "f1"), cluster_count="4")
    registry = fit(sample_of(points), settings)
    for algorithm, count in (("hierarchical", "4"), ("dbscan", "3"), ("kmeans", "4")):
        changed = settings_of(
            ("f0", "f1"),
            cluster_count=count,
            algorithm=algorithm,
            configuration_hash=algorithm,
        )
        found = fit(sample_of(points), changed, registry)
        before = registry[registry["model_version"] == registry["model_version"].max()]
        same = labels_of(points, found) == labels_of(points, before)
        assert same.mean() > 0.9
        assert set(found["outlier_segment_id"]) == {"value-4"}
        registry = publish(registry, found)


def test_outliers_that_are_gone_are_retired_and_their_number_is_not_used_again():
    settings = settings_of(("f0", "f1"), cluster_count="4")
    first = fit(sample_of(np.vstack([BLOBS, FAR])), settings)
    three = settings_of(("f0", "f1"), cluster_count="3")
    second = fit(sample_of(BLOBS), three, first)
    assert second["outlier_segment_id"].isna().all()
    assert set(second["segment_id"]) == {"value-1", "value-2", "value-3"}
    registry = publish(first, second)
    third = fit(sample_of(np.vstack([BLOBS, FAR])), settings, registry)
    assert set(third["outlier_segment_id"]) == {"value-5"}


@pytest.mark.parametrize("algorithm", ["kmeans", "hierarchical"])
def test_five_percent_new_customers_leave_ninety_five_percent_their_segment(algorithm):
    rng = np.random.default_rng(4)
    points = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 1000)
    settings = settings_of(("f0", "f1"), cluster_count="4", algorithm=algorithm)
    first = fit(sample_of(points[:950]), settings)
    second = fit(sample_of(points), settings, first)
    same = labels_of(points[:950], first) == labels_of(points[:950], second)
    assert set(second["segment_id"]) == set(first["segment_id"])
    # Ward's tree of a continuum is another one with every new customer.
    assert same.mean() >= (0.95 if algorithm == "kmeans" else 0.5)


# ---- who keeps an id ---------------------------------------------------------------


def share_of_kept_ids(points, seed, **changes):
    """Refit without 5 % of the customers and with 5 % new ones: who keeps the id."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(len(points))
    few = len(points) // 20
    everyone = sample_of(points)
    settings = settings_of(
        [f"f{i}" for i in range(np.shape(points)[1])],
        maximum_correlation=1.0,
        **{"scaling": "standard"} | changes,
    )
    samples = [
        everyone.drop(index=gone).assign(
            sample_rank=lambda frame: rng.permutation(len(frame))
        )
        for gone in (places[:few], places[few : 2 * few])
    ]
    given = pd.DataFrame(
        {
            "segmentation": "value",
            "cluster_count": settings["cluster_count"].head(1).astype(int),
            "is_chosen": True,
            "status": "ok",
            "reason": "given",
        }
    )
    first = fit_prototypes(samples[0], settings, given, EMPTY)
    second = fit_prototypes(samples[1], settings, given, first)
    assert set(second["model_version"]) == {2}
    before, after = scored(samples[0], first), scored(samples[1], second)
    unchanged = before.index.intersection(after.index)
    assert len(unchanged) == len(points) - 2 * few
    return (before[unchanged] == after[unchanged]).mean()


def mixture(spread, seed=7):
    """Five groups of unequal sizes in three features."""
    rng = np.random.default_rng(seed)
    middles = np.array([[0, 0, 0], [4, 0, 1], [0, 4, 2], [4, 4, 0], [2, 2, 5]])
    labels = rng.choice(5, 2000, p=[0.35, 0.25, 0.2, 0.12, 0.08])
    return middles[labels] + rng.normal(0, spread, size=(2000, 3))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("points", "changes"),
    [
        pytest.param(mixture(0.5), {"cluster_count": "5"}, id="separated"),
        pytest.param(mixture(1.0), {"cluster_count": "5"}, id="overlapping"),
        pytest.param(
            np.exp(mixture(1.0)),
            {"cluster_count": "5", "transform": "log1p"},
            id="skewed",
        ),
        pytest.param(
            mixture(0.5),
            {"cluster_count": "5", "algorithm": "hierarchical"},
            id="hierarchical",
        ),
        pytest.param(
            mixture(0.4), {"cluster_count": "5", "algorithm": "dbscan"}, id="dbscan"
        ),
    ],
)
def test_a_refit_leaves_ninety_five_percent_their_id(points, changes, seed):
    share = share_of_kept_ids(points, seed, **changes)
    print(f"{share:.1%} keep their id")  # pytest -rP shows it
    assert share >= 0.95


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", ["3", "5"])
def test_a_refit_of_online_retail_leaves_ninety_five_percent_their_id(count, seed):
    points = online_retail_rfm().to_numpy()
    share = share_of_kept_ids(points, seed, cluster_count=count)
    print(f"{share:.1%} keep their id")  # pytest -rP shows it
    assert share >= 0.95


def test_a_feature_more_or_less_leaves_the_ids_where_the_customers_are():
    points = mixture(0.5)
    more = settings_of(("f0", "f1", "f2"), cluster_count="5")
    less = settings_of(("f0", "f1"), cluster_count="4", configuration_hash="less")
    sample = sample_of(points)
    first = fit(sample, more)
    second = fit(sample, less, first)
    third = fit(sample, more, publish(first, second))
    assert len(set(second["segment_id"])) == 4
    # The group that only the third feature tells is shared out, and new again later.
    gone = set(first["segment_id"]) - set(second["segment_id"])
    assert len(gone) == 1
    before, after, again = (scored(sample, fitted) for fitted in (first, second, third))
    others = ~before.isin(gone)
    assert (before[others] == after[others]).mean() >= 0.95
    assert (before[others] == again[others]).mean() >= 0.95
    assert set(again[~others].value_counts().index[:1]) == {"value-6"}


# ---- thirds, where nothing is stable -----------------------------------------------

GAUSSIAN = np.random.default_rng(6).multivariate_normal(
    [3, 5], [[2, 1.2], [1.2, 1]], 900
)
THIRDS = {"fallback": "tertiles", "cluster_count": "auto"}


def unchosen(status="unstable"):
    """Candidates without a choice."""
    return pd.DataFrame(
        {
            "segmentation": "value",
            "cluster_count": pd.array([3, None], dtype="Int64"),
            "is_chosen": False,
            "status": ["ok", status],
            "reason": ["stability 0.70 ± 0.02, below 0.80", "no k is usable"],
        }
    )


def fit_unchosen(points, registry=EMPTY, status="unstable", **changes):
    settings = settings_of(("f0", "f1")[: np.ndim(points)], **THIRDS | changes)
    return fit_prototypes(sample_of(points), settings, unchosen(status), registry)


def test_without_stable_clusters_a_third_of_the_customers_is_in_each_segment():
    found = fit_unchosen(GAUSSIAN)
    assert found.dtypes.astype(str).to_dict() == PROTOTYPE_DTYPES
    assert set(found["algorithm"]) == {"tertiles"}
    assert set(found["status"]) == {"fallback"}
    assert set(found["cluster_count"]) == {3}
    assert set(found["reason"]) == {
        "thirds of the first principal component, because no k is usable"
    }
    assert found["segment_id"].tolist() == [f"value-{n}" for n in (1, 1, 2, 2, 3, 3)]
    assert found["training_customers"].tolist() == [300] * 6
    labels = labels_of(GAUSSIAN, found)
    assert sorted(np.unique(labels, return_counts=True)[1]) == [300, 300, 300]


def test_the_boundary_between_thirds_is_the_tertile_of_the_scores():
    wide = fit_unchosen(GAUSSIAN)["centre"].to_numpy().reshape(3, 2)
    _, vectors = np.linalg.eigh(np.cov(GAUSSIAN.T))
    axis = vectors[:, -1] * np.sign(vectors[0, -1])  # the first is the larger
    middle = GAUSSIAN.mean(axis=0)
    scores = (GAUSSIAN - middle) @ axis
    expected = quantiles(scores, n=3, method="inclusive")
    between = (wide[:-1] + wide[1:]) / 2
    np.testing.assert_allclose((between - middle) @ axis, expected, atol=1e-7)
    across = np.array([-axis[1], axis[0]])
    np.testing.assert_allclose((wide - middle) @ across, 0, atol=1e-7)


def test_thirds_of_unchanged_data_are_the_published_ones():
    first = fit_unchosen(GAUSSIAN)
    later = {"as_of_date": pd.Timestamp("2024-09-01")}
    pd.testing.assert_frame_equal(fit_unchosen(GAUSSIAN, first, **later), first)


def test_what_is_published_goes_on_scoring_whatever_the_fallback():
    first = fit_unchosen(GAUSSIAN)
    fitted = fit(
        sample_of(GAUSSIAN), settings_of(("f0", "f1"), cluster_count="3"), EMPTY
    )
    for current in (first, fitted):
        found = fit_unchosen(GAUSSIAN * 2, current)
        as_it_is = found.columns.difference(["status", "reason"])
        pd.testing.assert_frame_equal(found[as_it_is], current[as_it_is])
        assert set(found["status"]) == {"kept"}
        assert set(found["reason"]) == {"no k is usable"}


@pytest.mark.parametrize(
    ("points", "changes"),
    [
        pytest.param(GAUSSIAN, {"fallback": "none"}, id="not asked for"),
        pytest.param(GAUSSIAN, {"status": "not_fitted"}, id="nothing was fitted"),
        pytest.param(GAUSSIAN, {"status": "insufficient_data"}, id="too few"),
        pytest.param(np.repeat([0, 1, 2], [70, 20, 10]), {}, id="no two tertiles"),
    ],
)
def test_otherwise_there_are_no_thirds(points, changes):
    assert fit_unchosen(points, **changes).empty


def test_clusters_found_later_take_over_the_ids_of_the_thirds():
    blobs, _ = make_blobs(900, centers=[[0, 0], [20, 20], [40, 40]], random_state=1)
    thirds = fit_unchosen(blobs)
    settings = settings_of(("f0", "f1"), cluster_count="auto")
    found = fit(sample_of(blobs), settings, thirds)
    assert set(found["algorithm"]) == {"kmeans"}
    assert set(found["model_version"]) == {2}
    assert (labels_of(blobs, found) == labels_of(blobs, thirds)).all()


def test_published_thirds_are_no_choice_of_three_clusters():
    settings = settings_of(("f0", "f1"), **THIRDS)
    thirds = fit_unchosen(GAUSSIAN)
    pd.testing.assert_frame_equal(
        evaluate_candidates(sample_of(GAUSSIAN), settings, thirds),
        evaluate_candidates(sample_of(GAUSSIAN), settings, EMPTY),
    )
    assert candidates_module._published_choice(thirds, settings.iloc[0]) is None


def test_an_unknown_fallback_is_an_error():
    with pytest.raises(ValueError, match="unknown fallback 'halves'; known: 'none'"):
        fit_unchosen(GAUSSIAN, fallback="halves")


# ---- whether to fit at all ---------------------------------------------------------


def holding(reason="version 2 holds", **changes):
    """Settings that ask for no fit."""
    return settings_of(is_refit=False, refit_reason=reason, **changes)


def test_what_is_not_to_be_fitted_goes_on_with_the_reason_whatever_the_data(split):
    later = holding(cluster_count="3", as_of_date=pd.Timestamp("2024-09-01"))
    found = fit(sample_of(PLACES * 7), later, split)
    published = split[split["model_version"] == 2].reset_index(drop=True)
    assert set(found["status"]) == {"kept"}
    assert set(found["reason"]) == {"version 2 holds"}
    told = ["status", "reason"]
    pd.testing.assert_frame_equal(
        found.drop(columns=told), published.drop(columns=told)
    )
    assert len(publish(split, found)) == len(split)


def test_on_the_day_of_its_fit_a_version_is_as_it_was_fitted(split):
    """So that a build after publishing has the rows of the build that published."""
    published = split[split["model_version"] == 2].reset_index(drop=True)
    day = holding(as_of_date=published["as_of_date"].iloc[0])
    pd.testing.assert_frame_equal(fit(sample_of(PLACES * 7), day, split), published)
    undated = split.assign(as_of_date=pd.NaT)
    found = fit(sample_of(PLACES), holding(as_of_date=pd.NaT), undated)
    assert set(found["status"]) == set(published["status"])


def test_without_a_version_and_a_fit_there_is_no_model():
    found = fit(sample_of(PLACES), holding("nothing is published"), EMPTY)
    assert found.empty
    assert found.dtypes.astype(str).to_dict() == PROTOTYPE_DTYPES


def test_a_refit_says_the_reason_that_it_was_given():
    first = fit(sample_of(PLACES), settings_of())
    settings = settings_of(is_refit=True, refit_reason="f0 has drifted")
    found = fit(sample_of(PLACES + 1), settings, first)
    assert set(found["reason"]) == {"f0 has drifted"}
    assert set(found["model_version"]) == {2}


def test_a_past_date_is_rebuilt_and_says_so_whatever_is_asked(split):
    for settings in (holding(), settings_of(is_refit=True, refit_reason="drift")):
        past = settings.assign(as_of_date=pd.Timestamp("2020-01-01"))
        assert set(fit(sample_of(PLACES), past, split)["status"]) == {"rebuilt"}


def test_a_refit_counts_whom_it_alone_puts_elsewhere():
    """Three groups of 30 at 1, 2 and 3; the fit in four finds the 10 at 3.4 apart."""
    points = np.repeat([1.0, 2.0, 3.0, 3.4], [30, 30, 20, 10])
    first = fit(sample_of(points), settings_of(cluster_count="3"))
    assert first["changed_by_model_share"].isna().all()
    found = fit(sample_of(points), settings_of(cluster_count="4"), first)
    assert set(found["changed_by_model_share"]) == {round(10 / 90, 6)}
    before, after = (scored(sample_of(points), model) for model in (first, found))
    assert (before != after).sum() == 10


def test_where_the_version_before_cannot_label_them_the_change_is_not_known():
    wide = sample_of(np.column_stack([PLACES, PLACES[::-1]]))
    first = fit(wide, settings_of(("f1",)))
    found = fit(wide.drop(columns="f1"), settings_of(("f0",)), first)
    assert found["changed_by_model_share"].isna().all()
