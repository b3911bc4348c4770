"""Explanations: what was done to the features, the map and the rules, of every
segmentation at once, as the warehouse asks for them.
"""

import pandas as pd

from segmentation.customer_map import LOADING_DTYPES, fit_map
from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import (
    DESCRIPTION_DTYPES,
    PREPARATION_DTYPES,
    describe_preparation,
    each_segmentation,
    fit_preparation,
    prepare,
)
from segmentation.rules import RULE_DTYPES, describe_segments

NAMED = {"segmentation": "string"}


def describe_features(sample: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each feature, per segmentation.

    Parameters
    ----------
    sample, settings
        As for ``evaluate_candidates``.

    Returns
    -------
    DataFrame
        segmentation and the columns of ``describe_preparation``; no rows of a
        segmentation without sampled customers.

    """
    return _stacked(
        (
            (
                name,
                describe_preparation(customers, own, fit_preparation(customers, own)),
            )
            for name, customers, own in each_segmentation(sample, settings)
            if len(customers)
        ),
        NAMED | DESCRIPTION_DTYPES,
    )


def fit_maps(sample: pd.DataFrame, prototypes: pd.DataFrame) -> pd.DataFrame:
    """Return the loadings of the customer map, per segmentation.

    Parameters
    ----------
    sample
        As for ``evaluate_candidates``.
    prototypes
        The models in force, as ``fit_prototypes`` returns them: their preparation
        is the map's.

    Returns
    -------
    DataFrame
        segmentation and the columns of ``fit_map``.

    """
    require_columns(prototypes, ["segmentation", "prototype_id"], name="prototypes")
    parts = []
    for name, rows in prototypes.groupby("segmentation"):
        preparation = rows[rows["prototype_id"] == rows["prototype_id"].min()]
        preparation = preparation.reindex(columns=list(PREPARATION_DTYPES))
        customers = sample[sample["segmentation"] == name].sort_values("sample_rank")
        if len(customers):
            points = prepare(customers, preparation)
            parts.append((name, fit_map(points, preparation)))
    return _stacked(parts, NAMED | LOADING_DTYPES)


def explain_segments(labelled: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return a short rule per segment, per segmentation.

    Parameters
    ----------
    labelled
        One row per segmentation and customer: segmentation, customer_id, segment_id,
        and one column per feature, in raw units; null columns are left out.
    features
        The features with their words: feature, unit, at_most_phrase,
        more_than_phrase.

    Returns
    -------
    DataFrame
        segmentation and the columns of ``describe_segments``.

    """
    keys = ["segmentation", "customer_id", "segment_id"]
    require_columns(labelled, keys, name="labelled")
    known = [name for name in labelled.columns if name not in keys]
    parts = []
    for name, rows in labelled.groupby("segmentation"):
        rows = rows.sort_values("customer_id")
        used = rows[known].dropna(axis="columns", how="all")
        parts.append(
            (
                name,
                describe_segments(
                    used, rows["segment_id"], units=features, phrases=features
                ),
            )
        )
    return _stacked(parts, NAMED | RULE_DTYPES)


def _stacked(parts, dtypes: dict) -> pd.DataFrame:
    frames = [part.assign(segmentation=name) for name, part in parts]
    stacked = pd.concat(frames) if frames else pd.DataFrame(columns=list(dtypes))
    return with_dtypes(stacked, dtypes)
