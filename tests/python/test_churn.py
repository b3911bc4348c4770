"""Churn: no leakage, the measures of others, the choice, and what SQL applies."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from purchase_history import (
    cdnow_days,
    online_retail_days,
    parameters_of,
    purchase_tuples_of,
    sample_of,
    settings_of,
    value_tuples_of,
)
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segmentation import churn
from segmentation.churn import (
    COEFFICIENT_DTYPES,
    FEATURES,
    TREE_DTYPES,
    VALIDATION_DTYPES,
    churn_features,
    fit_churn_model,
    fit_churn_trees,
    holdout_scores,
    training_rows,
    validate_churn,
)
from segmentation.lifetime_value import (
    PurchaseParameters,
    fit_purchase_models,
    purchase_probability,
)

PLAIN = PurchaseParameters("mbg_nbd", 0.8, 60.0, 0.6, 1.5)
EVERY_SNAPSHOT = pd.concat([parameters_of(PLAIN, number) for number in range(5)])
MODELS = ["recency", "rfm", "mbg_nbd", "logistic", "gradient_boosting"]


def fitted_to(sample, **changes):
    return fit_purchase_models(
        purchase_tuples_of(sample), value_tuples_of(sample), settings_of(**changes)
    )


@pytest.fixture(scope="module")
def cdnow():
    """Sample, parameters and validation of CDNOW at 1998-06-30."""
    sample = sample_of(cdnow_days(), "1998-06-30")
    parameters = fitted_to(sample)
    return sample, parameters, validate_churn(sample, parameters, settings_of())


def made_sample(odds, *, count=600, snapshots=4, seed=1):
    """Customers who buy again with the log odds that ``odds`` gives of their rows."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(snapshots):
        observed = rng.integers(100, 400, count)
        repeats = rng.poisson(2, count) * rng.integers(0, 2, count)
        span = np.where(repeats, (observed * rng.random(count)).astype(int), 0)
        frame = pd.DataFrame(
            {
                "snapshot_number": number,
                "customer_id": [f"c{i:04d}" for i in range(count)],
                "repeat_count": repeats,
                "span_days": span,
                "observed_days": observed,
                "recency_days": observed - span,
                "frequency": repeats + 1,
                "monetary": rng.lognormal(4, 1, count).round(2),
                "recent_event_count": rng.poisson(3, count),
            }
        )
        chance = 1 / (1 + np.exp(-odds(frame)))
        bought = pd.Series(rng.random(count) < chance, dtype="boolean")
        parts.append(frame.assign(bought_later=bought if number else pd.NA))
    sample = pd.concat(parts, ignore_index=True)
    return sample.astype({"recent_event_count": "Int64", "bought_later": "boolean"})


def by_the_model(frame):
    times = (frame[name] for name in ("repeat_count", "span_days", "observed_days"))
    chance = purchase_probability(PLAIN, *times, 90)
    return np.log(chance / (1 - chance))


def by_events(frame):
    return 1.5 * (frame["recent_event_count"].astype(float) - 3)


def by_events_in_the_middle(frame):
    return 3 - 2 * (frame["recent_event_count"].astype(float) - 3).abs()


def cell(found, model, measure, column="estimate"):
    own = found[(found["model"] == model) & (found["measure"] == measure)]
    return own[column].iloc[0]


def chosen(found):
    names = found.loc[found["is_chosen"], "model"].unique()
    assert len(names) == 1
    assert found.loc[found["model"] == names[0], "is_chosen"].all()
    return names[0]


# ---- features ----------------------------------------------------------------------


def test_features_are_logarithms_and_the_log_odds_of_a_purchase():
    sample = pd.DataFrame(
        {
            "snapshot_number": [1, 0],
            "repeat_count": [2, 0],
            "span_days": [50, 0],
            "observed_days": [99, 0],
            "recency_days": [49, 0],
            "frequency": [3, 1],
            "monetary": [-7.0, 0.0],
            "recent_event_count": pd.array([4, None], dtype="Int64"),
        },
        index=[7, 5],
    )
    found = churn_features(sample, EVERY_SNAPSHOT, settings_of())
    assert tuple(found.columns) == FEATURES
    assert found.index.tolist() == [7, 5]
    chance = purchase_probability(PLAIN, 2, 50, 99, 90)[0]
    assert found.loc[7].tolist() == pytest.approx(
        [
            np.log(50),
            np.log(4),
            0,
            np.log(100),
            np.log(chance / (1 - chance)),
            np.log(5),
        ]
    )
    assert found.loc[5, "recent_event_count":].isna().all()


def test_sql_makes_the_same_features(cdnow):
    sample, parameters, _ = cdnow
    rows = sample[sample["snapshot_number"] == 2]
    names = ["r", "alpha", "a", "b"]
    own = parameters[parameters["snapshot_number"] == 2].set_index("parameter")
    r, alpha, a, b = own.loc[names, "estimate"]
    found = duckdb.sql(
        f"""
        select
            ln(1 + recency_days) as recency_days,
            ln(1 + frequency) as frequency,
            ln(1 + greatest(monetary, 0)) as monetary,
            ln(1 + observed_days) as tenure_days,
            1 / (1 + exp(least(700, ln({a}) - ln({b} + repeat_count)
                + ({r} + repeat_count)
                * (ln({alpha} + observed_days) - ln({alpha} + span_days)))))
            * (1 - exp(({r} + repeat_count)
                * (ln({alpha} + observed_days) - ln({alpha} + observed_days + 90))))
            as chance,
            least(12, greatest(-12, ln(chance / (1 - chance)))) as purchase_logit
        from rows
        """
    ).df()
    expected = churn_features(rows, parameters, settings_of())
    for name in FEATURES[:-1]:
        assert found[name].tolist() == pytest.approx(expected[name].tolist(), rel=1e-9)


def test_a_hopeless_customer_has_the_least_log_odds():
    sample = made_sample(by_the_model, count=1).iloc[:1]
    sample = sample.assign(repeat_count=900, span_days=1, observed_days=4000)
    found = churn_features(sample, EVERY_SNAPSHOT, settings_of())
    assert found["purchase_logit"].tolist() == [-12]


# ---- no leakage --------------------------------------------------------------------


def scores_look_at_the_outcome(sample) -> bool:
    """Whether a score of snapshot 1 changes with what was known only later."""
    settings = settings_of()
    other = sample.copy()
    late = other["snapshot_number"] <= 1
    labels = other.loc[late, "bought_later"]
    other.loc[late, "bought_later"] = ~labels.fillna(False)
    other.loc[other["snapshot_number"] == 0, ["recency_days", "monetary"]] = 1
    one = holdout_scores(sample, EVERY_SNAPSHOT, settings)
    two = holdout_scores(other, EVERY_SNAPSHOT, settings)
    return not one.equals(two)


def test_no_score_of_snapshot_1_depends_on_what_came_later():
    assert not scores_look_at_the_outcome(made_sample(by_events))


def test_the_check_catches_a_model_trained_on_snapshot_1(monkeypatch):
    def leaky(sample):
        return sample[sample["bought_later"].notna()]

    monkeypatch.setattr(churn, "training_rows", leaky)
    assert scores_look_at_the_outcome(made_sample(by_events))


def test_the_check_catches_a_feature_that_is_the_outcome(monkeypatch):
    honest = churn.churn_features

    def leaky(sample, parameters, settings):
        found = honest(sample, parameters, settings)
        outcome = sample["bought_later"].fillna(False).astype(float)
        return found.assign(monetary=outcome)

    monkeypatch.setattr(churn, "churn_features", leaky)
    assert scores_look_at_the_outcome(made_sample(by_events))


def test_training_rows_are_the_labelled_ones_before_snapshot_1():
    sample = made_sample(by_events, count=5)
    sample.loc[sample["customer_id"] == "c0001", "bought_later"] = pd.NA
    found = training_rows(sample)
    assert set(found["snapshot_number"]) == {2, 3}
    assert len(found) == 8


# ---- measures ----------------------------------------------------------------------


def test_measures_are_those_of_scikit_learn(cdnow):
    sample, parameters, found = cdnow
    scores = holdout_scores(sample, parameters, settings_of())
    test = sample[sample["snapshot_number"] == 1].set_index("customer_id")
    for model, own in scores.groupby("model"):
        gone = ~test.loc[own["customer_id"], "bought_later"].astype(bool)
        score = own["churn_score"].to_numpy()
        for measure, function in (
            ("auc", roc_auc_score),
            ("pr_auc", average_precision_score),
            ("brier", brier_score_loss),
        ):
            if (model, measure) != ("recency", "brier"):
                estimate = cell(found, model, measure)
                assert estimate == pytest.approx(function(gone, score), abs=1e-8)


def test_the_table_is_complete_and_in_order(cdnow):
    sample, parameters, found = cdnow
    assert found.dtypes.astype(str).to_dict() == VALIDATION_DTYPES
    assert found["model"].drop_duplicates().tolist() == MODELS
    measures = {model: set(own["measure"]) for model, own in found.groupby("model")}
    ranking = {"auc", "pr_auc", "top_decile_lift", "retained_lift"}
    full = ranking | {"brier", "calibration_error", "calibration"}
    assert measures["recency"] == ranking | {"auc_gain"}
    assert measures["mbg_nbd"] == full
    assert measures["logistic"] == full | {"brier_gain", "auc_gain"}
    assert set(found["status"]) == {"ok"}
    assert found["verdict"].str.startswith("skill: AUC 0.8").all()
    inside = found[found["measure"] != "calibration_error"]
    assert (inside["lower"] <= inside["estimate"]).all()
    assert (inside["estimate"] <= inside["upper"]).all()
    shuffled = sample.sample(frac=1, random_state=3)
    again = validate_churn(shuffled, parameters, settings_of())
    pd.testing.assert_frame_equal(found, again)


def test_gains_are_differences_over_the_best_model_before(cdnow):
    _, _, found = cdnow
    for model, other in (("rfm", "mbg_nbd"), ("logistic", "mbg_nbd")):
        gain = cell(found, model, "auc_gain")
        expected = cell(found, model, "auc") - cell(found, other, "auc")
        assert gain == pytest.approx(expected, abs=1e-8)
        gain = cell(found, model, "brier_gain")
        expected = cell(found, other, "brier") - cell(found, model, "brier")
        assert gain == pytest.approx(expected, abs=1e-8)
        # Paired: the gain varies less than either of the two.
        width = cell(found, model, "auc", "upper") - cell(found, model, "auc", "lower")
        upper = cell(found, model, "auc_gain", "upper")
        assert upper - cell(found, model, "auc_gain", "lower") < 0.6 * width


def test_calibration_is_by_tenths_with_wilsons_interval(cdnow):
    _, _, found = cdnow
    own = found[(found["measure"] == "calibration") & (found["model"] == "logistic")]
    assert own["bin"].tolist() == list(range(1, 11))
    assert own["customer_count"].sum() == 2349
    distance = (own["estimate"] - own["predicted"]).abs() * own["customer_count"]
    assert cell(found, "logistic", "calibration_error") == pytest.approx(
        distance.sum() / 2349, abs=1e-7
    )
    # By hand: none of 10 has the upper limit z^2 / (10 + z^2).
    assert churn._wilson(0, 10) == pytest.approx((0, 3.841459 / 13.841459), abs=1e-6)
    assert churn._wilson(10, 10) == pytest.approx((10 / 13.841459, 1), abs=1e-6)


def test_a_perfect_model_reaches_the_ceiling_of_the_lifts():
    # Who has been seen within the last 30 days buys again: 20 %.
    sample = made_sample(by_the_model, count=1000, snapshots=3)
    order = np.tile(np.arange(1000), 3)
    sample["recency_days"] = order
    sample["bought_later"] = pd.Series(order < 200, dtype="boolean").mask(
        sample["snapshot_number"] == 0
    )
    found = validate_churn(sample, EVERY_SNAPSHOT, settings_of())
    assert cell(found, "recency", "auc") == 1
    assert cell(found, "recency", "top_decile_lift") == pytest.approx(1 / 0.8)
    assert cell(found, "recency", "retained_lift") == pytest.approx(1 / 0.2)


# ---- the choice --------------------------------------------------------------------


def test_the_reference_figures_of_online_retail():
    sample = sample_of(online_retail_days(), "2011-12-09")
    found = validate_churn(sample, fitted_to(sample), settings_of())
    for model, auc, brier in (
        ("recency", 0.683, None),
        ("rfm", 0.737, 0.205),
        ("mbg_nbd", 0.733, 0.218),
        ("logistic", 0.736, 0.211),
    ):
        assert cell(found, model, "auc") == pytest.approx(auc, abs=0.005)
        if brier is not None:
            assert cell(found, model, "brier") == pytest.approx(brier, abs=0.005)
    assert chosen(found) == "logistic"


def test_the_purchase_model_stands_where_the_others_are_not_better(cdnow):
    _, _, found = cdnow
    assert chosen(found) == "mbg_nbd"
    found = validate_churn(made_sample(by_the_model), EVERY_SNAPSHOT, settings_of())
    assert chosen(found) == "mbg_nbd"
    assert "; chosen" in cell(found, "mbg_nbd", "auc", "verdict")
    assert "; not chosen" in cell(found, "logistic", "auc", "verdict")


def test_logistic_regression_is_chosen_for_a_signal_the_purchase_model_cannot_see():
    found = validate_churn(made_sample(by_events), EVERY_SNAPSHOT, settings_of())
    assert chosen(found) == "logistic"
    assert cell(found, "logistic", "brier_gain", "lower") > 0
    verdict = cell(found, "gradient_boosting", "auc", "verdict")
    assert "; not chosen; Brier gain over logistic" in verdict


def test_gradient_boosting_is_chosen_for_a_signal_without_a_direction():
    sample = made_sample(by_events_in_the_middle)
    found = validate_churn(sample, EVERY_SNAPSHOT, settings_of())
    assert chosen(found) == "gradient_boosting"


def test_a_model_that_ranks_worse_does_not_replace_one_that_is_badly_calibrated(
    monkeypatch,
):
    sample = made_sample(lambda frame: np.zeros(len(frame)), count=400)
    test = sample[sample["snapshot_number"] == 1].sort_values("customer_id")
    gone = ~test["bought_later"].to_numpy(dtype=bool)
    # The purchase model ranks all rightly but calls all but lost, which is worse than
    # the base rate; logistic regression ranks half of them, near one half.
    ranked = np.where(np.arange(400) % 2, gone, 0.5)
    scores = {"mbg_nbd": np.where(gone, 0.99, 0.98), "logistic": 0.45 + 0.1 * ranked}
    failures = dict.fromkeys(set(MODELS) - set(scores), ("not_trained", "left out"))
    monkeypatch.setattr(churn, "_scores", lambda *_: (scores, failures))
    found = validate_churn(sample, EVERY_SNAPSHOT, settings_of())
    assert cell(found, "logistic", "brier_gain", "lower") > 0
    assert cell(found, "logistic", "auc_gain", "upper") < 0
    assert chosen(found) == "mbg_nbd"
    assert cell(found, "mbg_nbd", "auc") == 1
    assert cell(found, "mbg_nbd", "auc", "status") == "no_skill"
    assert cell(found, "logistic", "auc", "status") == "ok"


def test_without_any_signal_there_is_no_skill():
    sample = made_sample(lambda frame: np.zeros(len(frame)), count=1500)
    found = validate_churn(sample, EVERY_SNAPSHOT, settings_of())
    assert set(found["status"]) == {"no_skill"}
    assert found["verdict"].str.startswith("no skill: AUC 0.").all()
    own = found[found["measure"] == "auc"]
    assert own["estimate"].tolist() == pytest.approx([0.5] * 5, abs=0.05)


def test_the_bg_nbd_goes_under_its_own_name():
    parameters = pd.concat(
        [
            parameters_of(PurchaseParameters("bg_nbd", 0.8, 60.0, 0.6, 1.5), number)
            for number in range(4)
        ]
    )
    settings = settings_of(purchase_model="bg_nbd")
    found = validate_churn(made_sample(by_the_model), parameters, settings)
    assert found["model"].drop_duplicates().tolist()[2] == "bg_nbd"


def test_what_cannot_be_validated_leaves_the_purchase_model_unproven():
    sample = made_sample(by_events)
    first = sample["snapshot_number"] == 1
    for changed, changes, reason in (
        (sample, {"churn_horizon_days": None}, "no churn horizon"),
        (sample[~first], {}, "too short to look back 90 days"),
        (sample[~first | (sample["customer_id"] < "c0049")], {}, "^49 customers"),
        (sample.assign(bought_later=True), {}, "^all of 600 customers bought"),
        (sample.assign(bought_later=False), {}, "^none of 600 customers bought"),
    ):
        found = validate_churn(changed, EVERY_SNAPSHOT, settings_of(**changes))
        assert found.dtypes.astype(str).to_dict() == VALIDATION_DTYPES
        assert set(found["status"]) == {"not_validated"}
        assert found["verdict"].str.contains(reason).all()
        assert chosen(found) == "mbg_nbd"
        assert found[["estimate", "lower", "upper", "predicted"]].isna().all(axis=None)
        assert not found.duplicated(["model", "measure"]).any()


def test_without_training_snapshots_the_learning_models_have_a_status():
    sample = made_sample(by_the_model)
    few = sample["snapshot_number"].le(1) | (sample["customer_id"] < "c0050")
    one_kind = sample.assign(
        bought_later=sample["bought_later"] | (sample["snapshot_number"] > 1)
    )
    for changed, reason in (
        (sample[sample["snapshot_number"] <= 1], "^0 customers of earlier snapshots"),
        (sample[few], "^100 customers of earlier snapshots"),
        (one_kind, "^1,200 customers of earlier snapshots, of whom 1,200 bought"),
    ):
        found = validate_churn(changed, EVERY_SNAPSHOT, settings_of())
        is_trained = found["model"].isin(["rfm", "logistic", "gradient_boosting"])
        assert set(found.loc[is_trained, "status"]) == {"not_trained"}
        assert found.loc[is_trained, "verdict"].str.contains(reason).all()
        assert found.loc[is_trained, "estimate"].isna().all()
        assert set(found.loc[~is_trained, "status"]) == {"ok"}
        assert chosen(found) == "mbg_nbd"


def test_without_a_purchase_model_logistic_regression_needs_skill():
    degenerate = EVERY_SNAPSHOT.assign(
        status=[
            "degenerate" if n == 1 else "ok" for n in EVERY_SNAPSHOT["snapshot_number"]
        ],
        reason="it runs away",
    )
    found = validate_churn(made_sample(by_events), degenerate, settings_of())
    assert cell(found, "mbg_nbd", "auc", "status") == "degenerate"
    assert cell(found, "mbg_nbd", "auc", "verdict") == (
        "no purchase model at snapshot 1: it runs away"
    )
    assert chosen(found) == "logistic"
    sample = made_sample(lambda frame: np.zeros(len(frame)))
    found = validate_churn(sample, degenerate, settings_of())
    assert chosen(found) == "mbg_nbd"


def test_snapshots_without_a_purchase_model_are_not_learnt_from():
    missing = EVERY_SNAPSHOT[EVERY_SNAPSHOT["snapshot_number"] != 3]
    sample = made_sample(by_events)
    one = holdout_scores(sample, missing, settings_of())
    other = holdout_scores(
        sample[sample["snapshot_number"] != 3], EVERY_SNAPSHOT, settings_of()
    )
    pd.testing.assert_frame_equal(one, other)


# ---- what SQL applies --------------------------------------------------------------


def labelled(sample, parameters):
    rows = sample[(sample["snapshot_number"] >= 1) & sample["bought_later"].notna()]
    rows = rows.sort_values(["snapshot_number", "customer_id"])
    features = churn_features(rows, parameters, settings_of())
    return features, rows["bought_later"].astype(bool).to_numpy()


def as_if_chosen(model):
    return pd.DataFrame({"model": MODELS, "is_chosen": [m == model for m in MODELS]})


def test_coefficients_sum_to_the_log_odds_of_a_purchase(cdnow):
    sample, parameters, _ = cdnow
    validation = as_if_chosen("logistic")
    found = fit_churn_model(sample, parameters, validation, settings_of())
    assert found.dtypes.astype(str).to_dict() == COEFFICIENT_DTYPES
    assert found["feature"].tolist() == ["intercept", *FEATURES[:-1]]
    features, bought = labelled(sample, parameters)
    matrix = features[list(FEATURES[:-1])].to_numpy()
    expected = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8))
    expected = expected.fit(matrix, bought).decision_function(matrix)
    intercept, *coefficients = found["coefficient"]
    assert intercept + matrix @ coefficients == pytest.approx(expected, abs=1e-5)


def test_boxes_sum_to_the_decision_function():
    sample = made_sample(by_events_in_the_middle)
    validation = validate_churn(sample, EVERY_SNAPSHOT, settings_of())
    found = fit_churn_trees(sample, EVERY_SNAPSHOT, validation, settings_of())
    assert found.dtypes.astype(str).to_dict() == TREE_DTYPES
    assert found.iloc[0, :2].tolist() == [0, 0]
    features, bought = labelled(sample, EVERY_SNAPSHOT)
    model = GradientBoostingClassifier(
        n_estimators=60, max_depth=3, min_samples_leaf=20, random_state=1
    ).fit(features.to_numpy(), bought)
    total = np.zeros(len(features))
    in_leaves = np.zeros((len(features), found["tree"].max() + 1), dtype=int)
    for row in found.to_dict("records"):
        inside = np.ones(len(features), dtype=bool)
        for name in FEATURES:
            above, at_most = row[f"{name}_above"], row[f"{name}_at_most"]
            values = features[name].to_numpy()
            if not np.isnan(above):
                inside &= values > above
            if not np.isnan(at_most):
                inside &= values <= at_most
        total[inside] += row["value"]
        in_leaves[inside, row["tree"]] += 1
    assert (in_leaves == 1).all()
    expected = model.decision_function(features.to_numpy())
    assert total == pytest.approx(expected, abs=1e-7)


def test_only_the_chosen_model_is_fitted(cdnow):
    sample, parameters, found = cdnow
    for validation in (found, as_if_chosen("gradient_boosting")):
        table = fit_churn_model(sample, parameters, validation, settings_of())
        assert table.empty
        assert table.dtypes.astype(str).to_dict() == COEFFICIENT_DTYPES
    for validation in (found, as_if_chosen("logistic")):
        table = fit_churn_trees(sample, parameters, validation, settings_of())
        assert table.empty
        assert table.dtypes.astype(str).to_dict() == TREE_DTYPES


def test_events_count_only_where_there_are_any():
    sample = made_sample(by_events)
    validation = as_if_chosen("logistic")
    found = fit_churn_model(sample, EVERY_SNAPSHOT, validation, settings_of())
    assert found["feature"].tolist() == ["intercept", *FEATURES]
    without = sample.assign(recent_event_count=pd.NA)
    found = fit_churn_model(without, EVERY_SNAPSHOT, validation, settings_of())
    assert found["feature"].tolist() == ["intercept", *FEATURES[:-1]]


def test_frames_as_an_engine_gives_them_are_read_too():
    sample = made_sample(by_events, count=200)
    nullable = {"bought_later": object, "recent_event_count": object}
    loose = sample.astype(nullable).replace({pd.NA: None})
    for function in (holdout_scores, validate_churn):
        one = function(sample, EVERY_SNAPSHOT, settings_of())
        other = function(loose, EVERY_SNAPSHOT, settings_of())
        pd.testing.assert_frame_equal(one, other)


def test_a_feature_that_does_not_vary_has_no_weight():
    sample = made_sample(by_events).assign(monetary=10.0)
    found = fit_churn_model(
        sample, EVERY_SNAPSHOT, as_if_chosen("logistic"), settings_of()
    ).set_index("feature")["coefficient"]
    assert found["monetary"] == 0
    assert np.isfinite(found).all()


def test_a_missing_column_is_named():
    sample = made_sample(by_events, count=60).drop(columns="recency_days")
    with pytest.raises(ValueError, match="sample lacks the column 'recency_days'"):
        validate_churn(sample, EVERY_SNAPSHOT, settings_of())
