"""Churn: who will not buy within the horizon, and which model may say so.

Churn is no purchase within H days after a snapshot. The purchase model gives its
probability without having seen any outcome; a model that learns from outcomes takes
its place only if it proves better on customers it has not seen, at a later date.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from segmentation.clustering import one_thread
from segmentation.frames import require_columns, with_dtypes
from segmentation.lifetime_value import (
    CHANCES_BEFORE_REPEAT,
    LIMIT,
    MINIMUM_CUSTOMERS,
    PARAMETER_DTYPES,
    purchase_parameters,
    purchase_probability,
)
from segmentation.preparation import round_values
from segmentation.ranking import Ranking, deciles, interval, resamples

RFM_FEATURES = ("recency_days", "frequency", "monetary")
FEATURES = (*RFM_FEATURES, "tenure_days", "purchase_logit", "recent_event_count")
LARGEST_LOGIT = 12.0
INTERCEPT = "intercept"
VALIDATION_DTYPES = {
    "model": "string",
    "is_chosen": "boolean",
    "measure": "string",
    "bin": "Int64",
    "estimate": "float64",
    "lower": "float64",
    "upper": "float64",
    "predicted": "float64",
    "customer_count": "Int64",
    "status": "string",
    "verdict": "string",
}
SCORE_DTYPES = {"model": "string", "customer_id": "string", "churn_score": "float64"}
COEFFICIENT_DTYPES = {
    "model": "string",
    "feature": "string",
    "coefficient": "float64",
}
TREE_DTYPES = {
    "tree": "Int64",
    "leaf": "Int64",
    "value": "float64",
    **{
        f"{feature}_{side}": "float64"
        for feature in FEATURES
        for side in ("above", "at_most")
    },
}
RECENCY, RFM, LOGISTIC, BOOSTING = ("recency", "rfm", "logistic", "gradient_boosting")
SUPERVISED = (RFM, LOGISTIC, BOOSTING)
RANKING_MEASURES = ("auc", "pr_auc", "top_decile_lift", "retained_lift")
PROBABILITY_MEASURES = ("brier", "calibration_error")
TEST_SNAPSHOT = 1
# Snapshot 1 is one horizon ago, so what was learnt at 2 was known by then.
FIRST_TRAINING_SNAPSHOT = TEST_SNAPSHOT + 1
MINIMUM_ROWS = 200
MINIMUM_OF_CLASS = 20
TENTH = 0.1
TREES, DEPTH, SMALLEST_LEAF = 60, 3, 20
SAMPLE_COLUMNS = (
    *("snapshot_number", "customer_id", "repeat_count", "span_days", "observed_days"),
    *("recency_days", "frequency", "monetary", "recent_event_count", "bought_later"),
)


# ---- features ----------------------------------------------------------------------


def churn_features(
    sample: pd.DataFrame, parameters: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return the features of each customer at each snapshot.

    Parameters
    ----------
    sample
        One row per snapshot and customer: snapshot_number, repeat_count, span_days,
        observed_days, recency_days, frequency, monetary and recent_event_count (null
        where the input has no events).
    parameters
        As ``segmentation.lifetime_value.fit_purchase_models`` returns them.
    settings
        One row: churn_horizon_days (H).

    Returns
    -------
    DataFrame
        The rows of the sample in their order and with its index, and ``FEATURES``, all
        float64: the natural logarithm of 1 + recency_days, frequency, monetary (0
        where negative), tenure_days (the observed days) and recent_event_count; and
        purchase_logit, the log odds of at least one purchase within H by the purchase
        model of the same snapshot, clipped to 12 either way. Null where the snapshot
        has no purchase model, and where there are no events.

    Raises
    ------
    ValueError
        If a column is missing.

    """
    columns = [c for c in SAMPLE_COLUMNS if c not in ("customer_id", "bought_later")]
    require_columns(sample, columns, name="sample")
    require_columns(settings, ["churn_horizon_days"], name="settings")

    def logarithm(name):
        values = sample[name].to_numpy(dtype=float, na_value=np.nan)
        return np.log1p(np.maximum(values, 0))

    horizon = settings["churn_horizon_days"].iloc[0]
    found = np.full(len(sample), np.nan)
    numbers = sample["snapshot_number"].to_numpy(dtype=float)
    for number in np.unique(numbers):
        fitted = purchase_parameters(parameters, snapshot_number=int(number))
        if fitted is None or pd.isna(horizon):
            continue
        own = numbers == number
        times = ["repeat_count", "span_days", "observed_days"]
        known = (sample.loc[own, name] for name in times)
        probability = purchase_probability(fitted, *known, float(horizon))
        found[own] = np.clip(logit(probability), -LARGEST_LOGIT, LARGEST_LOGIT)
    return pd.DataFrame(
        {name: logarithm(name) for name in RFM_FEATURES}
        | {
            "tenure_days": logarithm("observed_days"),
            "purchase_logit": found,
            "recent_event_count": logarithm("recent_event_count"),
        },
        index=sample.index,
    )


def training_rows(sample: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a model to be tested at snapshot 1 may learn from.

    Those are the labelled ones of snapshot 2 and before: the outcome of snapshot n is
    complete at snapshot n - 1, so at snapshot 1 theirs was known, and no other.

    Parameters
    ----------
    sample
        snapshot_number and bought_later (null where it is not known yet).

    Returns
    -------
    DataFrame
        Never a row of snapshot 0 or 1.

    """
    numbers = sample["snapshot_number"]
    return sample[(numbers >= FIRST_TRAINING_SNAPSHOT) & sample["bought_later"].notna()]


def _in_order(sample: pd.DataFrame) -> pd.DataFrame:
    """Return the sample in one order, so that no fit depends on that of its rows."""
    require_columns(sample, SAMPLE_COLUMNS, name="sample")
    ordered = sample.sort_values(["snapshot_number", "customer_id"])
    # An engine gives booleans with nulls as objects.
    return ordered.astype({"bought_later": "boolean"}).reset_index(drop=True)


def _usable_features(sample, features) -> list[str]:
    """Return the features that customers have where a model is tested and applied."""
    applied = features[sample["snapshot_number"] <= TEST_SNAPSHOT]
    names = list(FEATURES)
    if applied["purchase_logit"].isna().any():
        names.remove("purchase_logit")
    if features["recent_event_count"].isna().all():
        names.remove("recent_event_count")
    return names


# ---- models ------------------------------------------------------------------------


class _Logistic:
    """Logistic regression with an L2 penalty (C = 1) on standardised features."""

    def __init__(self, matrix: np.ndarray, bought: np.ndarray):
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        # Rounding may leave a spread to a feature that has none.
        spread[spread <= 1e-9 * np.maximum(1, np.abs(mean))] = np.inf
        model = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000)
        model.fit((matrix - mean) / spread, bought)
        self.coefficients = model.coef_[0] / spread
        self.intercept = float(model.intercept_[0] - self.coefficients @ mean)

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Return the log odds of a purchase."""
        return self.intercept + matrix @ self.coefficients


class _Boosting:
    """Gradient boosting with few shallow trees, which SQL can sum."""

    def __init__(self, matrix: np.ndarray, bought: np.ndarray, random_seed: int):
        self.model = GradientBoostingClassifier(
            n_estimators=TREES,
            max_depth=DEPTH,
            min_samples_leaf=SMALLEST_LEAF,
            random_state=random_seed,
        ).fit(matrix, bought)
        # The log odds that the trees start from.
        self.initial = float(logit(bought.mean()))

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Return the log odds of a purchase."""
        return self.model.decision_function(matrix)

    def boxes(self, names: list[str]) -> list[dict]:
        """Return each leaf of each tree with the bounds of its features."""
        rows = [{"tree": 0, "leaf": 0, "value": self.initial}]
        for number, (fitted,) in enumerate(self.model.estimators_, start=1):
            tree = fitted.tree_
            bounds: dict[int, dict] = {0: {}}
            leaf = 0
            for node in range(tree.node_count):  # parents come before their children
                left, right = tree.children_left[node], tree.children_right[node]
                own = bounds.pop(node)
                if left == right:
                    leaf += 1
                    value = self.model.learning_rate * tree.value[node].item()
                    rows.append({"tree": number, "leaf": leaf, "value": value} | own)
                    continue
                name, at = names[tree.feature[node]], float(tree.threshold[node])
                # Further down the bound on the same side is the tighter one.
                bounds[left] = own | {f"{name}_at_most": at}
                bounds[right] = own | {f"{name}_above": at}
        return rows


def _trained(model: str, matrix, bought, random_seed):
    if model == BOOSTING:
        return _Boosting(matrix, bought, random_seed)
    return _Logistic(matrix, bought)


def _matrix(features: pd.DataFrame, names: list[str]) -> np.ndarray:
    # No event is known of a customer whose count is null beside others' counts.
    return features[names].fillna({"recent_event_count": 0.0}).to_numpy(dtype=float)


def _learnable(rows, features, names):
    """Return matrix, outcomes and, where there is too little, why."""
    own = features.loc[rows.index]
    if "purchase_logit" in names:
        rows = rows[own["purchase_logit"].notna()]
        own = features.loc[rows.index]
    bought = rows["bought_later"].to_numpy(dtype=bool)
    reason = None
    if len(rows) < MINIMUM_ROWS or min(bought.sum(), (~bought).sum()) < (
        MINIMUM_OF_CLASS
    ):
        reason = (
            f"{len(rows):,} customers of earlier snapshots, of whom {bought.sum():,} "
            f"bought again; {MINIMUM_ROWS} are needed, and {MINIMUM_OF_CLASS} of "
            "either kind"
        )
    return own, bought, reason


def holdout_scores(
    sample: pd.DataFrame, parameters: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return each model's churn score of the customers of snapshot 1.

    No outcome of snapshot 0 or 1 is looked at.

    Parameters
    ----------
    sample
        As for ``validate_churn``.
    parameters
        As ``segmentation.lifetime_value.fit_purchase_models`` returns them.
    settings
        One row: churn_horizon_days, purchase_model and random_seed.

    Returns
    -------
    DataFrame
        One row per model and customer with ``SCORE_DTYPES``: the churn probability,
        for 'recency' the days since the last purchase. Models that could not be
        fitted have no rows.

    """
    sample = _in_order(sample)
    scores, _ = _scores(sample, parameters, settings)
    customers = sample.loc[sample["snapshot_number"] == TEST_SNAPSHOT, "customer_id"]
    parts = [
        pd.DataFrame(
            {"model": model, "customer_id": customers.to_numpy(), "churn_score": score}
        )
        for model, score in scores.items()
    ]
    found = pd.concat(parts) if parts else pd.DataFrame()
    return with_dtypes(found, SCORE_DTYPES)


def _scores(sample, parameters, settings):
    """Return model -> churn scores at snapshot 1, and model -> (status, reason)."""
    purchase_model = _purchase_model(settings)
    features = churn_features(sample, parameters, settings)
    names = _usable_features(sample, features)
    is_test = sample["snapshot_number"] == TEST_SNAPSHOT
    test = features[is_test]
    scores = {
        RECENCY: sample.loc[is_test, "recency_days"].to_numpy(dtype=float),
    }
    failures = {}
    # A model that cannot score the customers of now is no candidate either.
    failed = parameters[
        (parameters["snapshot_number"] <= TEST_SNAPSHOT)
        & parameters["model"].isin(list(CHANCES_BEFORE_REPEAT))
        & (parameters["status"] != "ok")
    ].sort_values("snapshot_number")
    if len(failed):
        first = failed.iloc[0]
        failures[purchase_model] = (
            str(first["status"]),
            f"no purchase model at snapshot {first['snapshot_number']}: "
            f"{first['reason']}",
        )
    elif test["purchase_logit"].isna().any():
        failures[purchase_model] = ("not_fitted", "no purchase model at snapshot 1")
    else:
        scores[purchase_model] = expit(-test["purchase_logit"].to_numpy())
    own, bought, reason = _learnable(training_rows(sample), features, names)
    for model in SUPERVISED:
        if reason is not None:
            failures[model] = ("not_trained", reason)
            continue
        used = list(RFM_FEATURES) if model == RFM else names
        with one_thread():
            fitted = _trained(model, _matrix(own, used), bought, _seed(settings))
            scores[model] = expit(-fitted.log_odds(_matrix(test, used)))
    return scores, failures


def _purchase_model(settings) -> str:
    require_columns(
        settings,
        ["purchase_model", "churn_horizon_days", "random_seed"],
        name="settings",
    )
    return str(settings["purchase_model"].iloc[0])


def _seed(settings) -> int:
    return int(settings["random_seed"].iloc[0])


# ---- validation --------------------------------------------------------------------


def validate_churn(
    sample: pd.DataFrame, parameters: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return how well each model foretold churn, and which one is chosen.

    Models learn from snapshot 2 and before and are tested at snapshot 1, one horizon
    H ago: 'recency' (days since the last purchase; it only ranks), 'rfm' (logistic
    regression on recency, frequency and monetary value), the purchase model under its
    own name, 'logistic' (on all ``FEATURES``) and 'gradient_boosting' (the same).

    The purchase model stands unless logistic regression is better: the 95 % interval
    of its Brier gain lies above 0, and that of its AUC gain not below. Gradient
    boosting has to beat the winner in the same way. Where there is no purchase model,
    the first of the two that has skill stands in its place. The baselines are never
    chosen.

    Parameters
    ----------
    sample
        One row per snapshot and customer, with ``SAMPLE_COLUMNS``. bought_later says
        whether there was a purchase within H, null where that is not known yet.
    parameters
        As ``segmentation.lifetime_value.fit_purchase_models`` returns them.
    settings
        One row: purchase_model, churn_horizon_days (H; may be null), random_seed.

    Returns
    -------
    DataFrame
        Long, with ``VALIDATION_DTYPES``; is_chosen marks all rows of one model.
        measure is

        - 'auc' and 'pr_auc' (average precision) of churn, ties counted half;
        - 'brier', the mean squared error of the probability, and 'calibration_error',
          the mean distance of predicted and observed churn over the tenths;
        - 'top_decile_lift': churn among the tenth with the highest score to churn
          among all, which cannot exceed 1 / base rate; 'retained_lift': the same of
          retention and the tenth with the lowest score. Ties share the places;
        - 'brier_gain' and 'auc_gain': by how much the model is better than the best
          before it, 'rfm' and 'recency' than the purchase model; above 0 is better;
        - 'calibration': per bin, 10 the highest predictions, the observed share of
          churn with its Wilson interval, and the mean prediction.

        lower and upper are else 95 % percentile intervals of 500 resamples, the same
        for all models. status is 'ok', 'no_skill' (the AUC's interval reaches .5, or
        the Brier score is no better than that of the base rate), 'not_trained' (fewer
        than 200 labelled customers of earlier snapshots, or 20 of either kind),
        'not_validated' (no horizon, or fewer than 50 customers at snapshot 1 or only
        one kind: the purchase model is then chosen, unproven), or that of the
        purchase model that could not be fitted. Without figures there is one row per
        model and measure but 'calibration'. verdict is one sentence per model.

    Raises
    ------
    ValueError
        If a column is missing.

    """
    sample = _in_order(sample)
    require_columns(parameters, list(PARAMETER_DTYPES), name="parameters")
    purchase_model = _purchase_model(settings)
    models = (RECENCY, RFM, purchase_model, LOGISTIC, BOOSTING)
    test = sample[sample["snapshot_number"] == TEST_SNAPSHOT]
    reason = _why_not_validated(test, settings)
    if reason is not None:
        verdicts = dict.fromkeys(models, ("not_validated", reason))
        return _table([], models, purchase_model, verdicts, purchase_model, len(test))
    scores, failures = _scores(sample, parameters, settings)
    churned = ~test["bought_later"].to_numpy(dtype=bool)
    with one_thread():
        held = _Holdout.of(scores, churned, _seed(settings))
    chosen, references = _choose(held, purchase_model)
    verdicts = failures | {
        model: _verdict(held, model, chosen, references.get(model)) for model in scores
    }
    rows = []
    for model in scores:
        rows += held.rows(model, references.get(model))
    return _table(rows, models, purchase_model, verdicts, chosen, len(test))


def _why_not_validated(test, settings) -> str | None:
    horizon = settings["churn_horizon_days"].iloc[0]
    if pd.isna(horizon):
        return "there is no churn horizon to validate over"
    labels = test["bought_later"]
    if test.empty or labels.isna().any():
        return f"the history is too short to look back {int(horizon)} days"
    if len(test) < MINIMUM_CUSTOMERS:
        return (
            f"{len(test):,} customers {int(horizon)} days ago; {MINIMUM_CUSTOMERS} "
            "are needed"
        )
    bought = int(labels.sum())
    if bought in (0, len(test)):
        return (
            f"{'all' if bought else 'none'} of {len(test):,} customers bought within "
            f"the {int(horizon)} days after"
        )
    return None


@dataclass(frozen=True)
class _Holdout:
    """Every measure of every model, of the customers and of the resamples."""

    scores: dict[str, np.ndarray]
    churned: np.ndarray
    # (model, measure) -> of the customers first, then of each resample
    found: dict[tuple[str, str], np.ndarray]

    @classmethod
    def of(cls, scores, churned, random_seed):
        gone = churned.astype(float)
        count = len(gone)
        weights = [np.ones(count), *resamples(count, random_seed=random_seed)]
        found = {}
        for model, score in scores.items():
            ranking = Ranking(score)
            columns = [_ranked(ranking, w, gone) for w in weights]
            for name, column in zip(RANKING_MEASURES, np.array(columns).T, strict=True):
                found[model, name] = column
            if model == RECENCY:
                continue
            missed, bins = (score - gone) ** 2, deciles(score)
            found[model, "brier"] = np.array([w @ missed for w in weights]) / count
            apart = [np.bincount(bins, w * (score - gone)) for w in weights]
            found[model, "calibration_error"] = np.abs(apart).sum(axis=1) / count
        return cls(scores, churned, found)

    def gain(self, model: str, other: str, measure: str) -> np.ndarray | None:
        """Return by how much the model is better than the other, paired."""
        own, against = (
            self.found.get((model, measure)),
            self.found.get((other, measure)),
        )
        if own is None or against is None:
            return None
        return against - own if measure == "brier" else own - against

    def limits(self, model: str, measure: str) -> tuple[float, float, float]:
        """Return estimate, lower and upper."""
        return _limits(self.found[model, measure])

    def base_brier(self) -> float:
        """Return the Brier score of who gives everybody the churn of all."""
        rate = self.churned.mean()
        return float(rate * (1 - rate))

    def has_skill(self, model: str) -> bool:
        """Return whether the model knows more than the base rate."""
        if not self.limits(model, "auc")[1] > 0.5:
            return False
        if model == RECENCY:
            return True
        return self.found[model, "brier"][0] < self.base_brier()

    def beats(self, model: str, other: str) -> bool:
        """Return whether the model is better than the other by more than chance."""
        _, least, _ = _limits(self.gain(model, other, "brier"))
        _, _, most = _limits(self.gain(model, other, "auc"))
        return least > 0 and most >= 0

    def rows(self, model: str, other: str | None) -> list[dict]:
        """Return the measures of a model, and its gains over the other."""
        columns = {name: self.found[model, name] for name in _measures(model)}
        for name in ("brier", "auc"):
            gain = None if other is None else self.gain(model, other, name)
            if gain is not None:
                columns[f"{name}_gain"] = gain
        rows = []
        for name, column in columns.items():
            row = zip(("estimate", "lower", "upper"), _limits(column), strict=True)
            rows.append({"measure": name, **dict(row)})
        if model != RECENCY:
            rows += _calibration(self.scores[model], self.churned)
        count = {"customer_count": len(self.churned)}
        return [{"model": model} | count | row for row in rows]


def _ranked(ranking: Ranking, weights, gone) -> tuple[float, ...]:
    """Return the ``RANKING_MEASURES`` under the weights of a resample."""
    rate = weights @ gone / weights.sum()
    places = TENTH * weights.sum()
    high = ranking.top(weights, TENTH) * weights
    low = (1 - ranking.top(weights, 1 - TENTH)) * weights
    undefined = float("nan")
    return (
        ranking.auc(weights, gone),
        ranking.average_precision(weights, gone),
        high @ gone / places / rate if rate > 0 else undefined,
        low @ (1 - gone) / places / (1 - rate) if rate < 1 else undefined,
    )


def _limits(column: np.ndarray) -> tuple[float, float, float]:
    return (float(column[0]), *interval(column[1:]))


def _measures(model: str) -> tuple[str, ...]:
    return RANKING_MEASURES + (() if model == RECENCY else PROBABILITY_MEASURES)


def _calibration(score, churned) -> list[dict]:
    bins = deciles(score)
    rows = []
    for number in range(1, 11):
        own = bins == number
        if own.any():
            lower, upper = _wilson(int(churned[own].sum()), int(own.sum()))
            rows.append(
                {"measure": "calibration", "bin": number}
                | {"estimate": churned[own].mean(), "lower": lower, "upper": upper}
                | {"predicted": score[own].mean(), "customer_count": int(own.sum())}
            )
    return rows


def _wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, squared = hits / count, LIMIT**2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    spread = (
        LIMIT
        * np.sqrt(share * (1 - share) / count + squared / (4 * count**2))
        / (1 + squared / count)
    )
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _choose(held: _Holdout, purchase_model: str) -> tuple[str, dict[str, str]]:
    """Return the chosen model, and which model each one was held against."""
    scored = held.scores
    best = purchase_model if purchase_model in scored else None
    references = {}
    if best is not None:
        references = {model: best for model in (RECENCY, RFM) if model in scored}
    for model in (LOGISTIC, BOOSTING):
        if model not in scored:
            continue
        if best is not None:
            references[model] = best
        if held.beats(model, best) if best is not None else held.has_skill(model):
            best = model
    return best or purchase_model, references


def _verdict(held, model, chosen, other) -> tuple[str, str]:
    estimate, lower, upper = held.limits(model, "auc")
    has_skill = held.has_skill(model)
    figures = f"AUC {estimate:.3f} ({lower:.3f} to {upper:.3f})"
    if model != RECENCY:
        brier = held.found[model, "brier"][0]
        figures += (
            f", Brier score {brier:.4f} where the base rate alone has "
            f"{held.base_brier():.4f}"
        )
    parts = [f"{'skill' if has_skill else 'no skill'}: {figures}"]
    if model in (RECENCY, RFM):
        parts.append("a baseline, never chosen")
    else:
        parts.append("chosen" if model == chosen else "not chosen")
    gain = None if other is None else held.gain(model, other, "brier")
    if gain is not None:
        better, least, most = _limits(gain)
        parts.append(
            f"Brier gain over {other} {better:.4f} ({least:.4f} to {most:.4f})"
        )
    return "ok" if has_skill else "no_skill", "; ".join(parts)


def _table(rows, models, purchase_model, verdicts, chosen, count) -> pd.DataFrame:
    """Return the rows in the order of the models, with empty ones for the others."""
    known = {row["model"] for row in rows}
    for model in models:
        if model in known:
            continue
        gains = () if model == purchase_model else ("auc_gain",)
        if model not in (purchase_model, RECENCY):
            gains = ("brier_gain", "auc_gain")
        rows += [
            {"model": model, "measure": measure, "customer_count": count}
            for measure in (*_measures(model), *gains)
        ]
    rows = sorted(rows, key=lambda row: models.index(row["model"]))
    frame = pd.DataFrame(rows).reindex(columns=list(VALIDATION_DTYPES))
    frame["is_chosen"] = frame["model"] == chosen
    frame["status"] = [verdicts[model][0] for model in frame["model"]]
    frame["verdict"] = [verdicts[model][1] for model in frame["model"]]
    figures = [name for name, dtype in VALIDATION_DTYPES.items() if dtype == "float64"]
    frame[figures] = round_values(frame[figures].to_numpy(dtype=float))
    return with_dtypes(frame, VALIDATION_DTYPES)


# ---- what SQL applies --------------------------------------------------------------


def fit_churn_model(
    sample: pd.DataFrame,
    parameters: pd.DataFrame,
    validation: pd.DataFrame,
    settings: pd.DataFrame,
) -> pd.DataFrame:
    """Return the coefficients of the logistic regression, if it was chosen.

    It is fitted again to all labelled snapshots, that of the test included.

    Parameters
    ----------
    sample, parameters, settings
        As for ``validate_churn``.
    validation
        What ``validate_churn`` returned.

    Returns
    -------
    DataFrame
        One row per feature and one for 'intercept', with ``COEFFICIENT_DTYPES``. Their
        products with ``churn_features`` (1 for the intercept) sum to the log odds of
        a purchase: the churn probability is 1 / (1 + e^sum). Without rows unless
        'logistic' was chosen.

    """
    found = _refitted(LOGISTIC, sample, parameters, validation, settings)
    if found is None:
        return with_dtypes(pd.DataFrame(), COEFFICIENT_DTYPES)
    model, names = found
    frame = pd.DataFrame(
        {
            "model": LOGISTIC,
            "feature": [INTERCEPT, *names],
            "coefficient": round_values(np.append(model.intercept, model.coefficients)),
        }
    )
    return with_dtypes(frame, COEFFICIENT_DTYPES)


def fit_churn_trees(
    sample: pd.DataFrame,
    parameters: pd.DataFrame,
    validation: pd.DataFrame,
    settings: pd.DataFrame,
) -> pd.DataFrame:
    """Return the leaves of gradient boosting as boxes, if it was chosen.

    It is fitted again to all labelled snapshots, that of the test included.

    Parameters
    ----------
    sample, parameters, settings
        As for ``validate_churn``.
    validation
        What ``validate_churn`` returned.

    Returns
    -------
    DataFrame
        One row per tree and leaf, with ``TREE_DTYPES``: value is what the leaf adds to
        the log odds of a purchase where each feature of ``churn_features`` is above
        its ``_above`` and at most its ``_at_most``; null is no bound. Leaf 0 of tree
        0 is what all begin with. A customer is in one leaf of every tree. Without
        rows unless 'gradient_boosting' was chosen.

    """
    found = _refitted(BOOSTING, sample, parameters, validation, settings)
    if found is None:
        return with_dtypes(pd.DataFrame(), TREE_DTYPES)
    model, names = found
    frame = pd.DataFrame(model.boxes(names)).reindex(columns=list(TREE_DTYPES))
    frame["value"] = round_values(frame["value"].to_numpy())
    return with_dtypes(frame, TREE_DTYPES)


def _refitted(model, sample, parameters, validation, settings):
    """Return the model fitted to all labelled rows and its features, or None."""
    require_columns(validation, ["model", "is_chosen"], name="validation")
    if model not in set(validation.loc[validation["is_chosen"], "model"]):
        return None
    sample = _in_order(sample)
    features = churn_features(sample, parameters, settings)
    names = _usable_features(sample, features)
    labelled = sample[
        (sample["snapshot_number"] >= TEST_SNAPSHOT) & sample["bought_later"].notna()
    ]
    own, bought, reason = _learnable(labelled, features, names)
    if reason is not None:
        return None
    with one_thread():
        return _trained(model, _matrix(own, names), bought, _seed(settings)), names
