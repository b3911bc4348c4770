"""Explanations: what was done to the features, the map, the rules and the trees, of
every segmentation at once, as the warehouse asks for them.
"""

from collections.abc import Iterator

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
from segmentation.rules import (
    RULE_DTYPES,
    TREE_DTYPES,
    describe_segments,
    tree_sql,
)

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
    """Return the best short rule of each segment, per segmentation.

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
    return _stacked(
        (
            (
                name,
                describe_segments(used, segment_ids, units=features, phrases=features),
            )
            for name, used, segment_ids in _each_labelled(labelled)
        ),
        NAMED | RULE_DTYPES,
    )


def explain_trees(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return one decision tree of depth 4 for all segments, per segmentation.

    Parameters
    ----------
    labelled
        As for ``explain_segments``.

    Returns
    -------
    DataFrame
        One row per segmentation: segmentation and the columns of ``tree_sql``.

    """
    return _stacked(
        (
            (name, tree_sql(used, segment_ids))
            for name, used, segment_ids in _each_labelled(labelled)
        ),
        NAMED | TREE_DTYPES,
    )


def _each_labelled(
    labelled: pd.DataFrame,
) -> Iterator[tuple[str, pd.DataFrame, pd.Series]]:
    """Yield name, features with any values, and segments, by customer id."""
    keys = ["segmentation", "customer_id", "segment_id"]
    require_columns(labelled, keys, name="labelled")
    known = [name for name in labelled.columns if name not in keys]
    for name, rows in labelled.groupby("segmentation"):
        rows = rows.sort_values("customer_id")
        yield (
            str(name),
            rows[known].dropna(axis="columns", how="all"),
            rows["segment_id"],
        )


def _stacked(parts, dtypes: dict) -> pd.DataFrame:
    frames = [part.assign(segmentation=name) for name, part in parts]
    stacked = pd.concat(frames) if frames else pd.DataFrame(columns=list(dtypes))
    return with_dtypes(stacked, dtypes)
