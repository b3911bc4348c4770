"""Prototypes: the points by which SQL scores every customer, and their versions."""

import hashlib
import json

import numpy as np
import pandas as pd

from segmentation.clustering import fit_kmeans, nearest
from segmentation.frames import require_columns, with_dtypes
from segmentation.identity import match_segments, segment_number
from segmentation.preparation import (
    PREPARATION_DTYPES,
    each_segmentation,
    fit_preparation,
    prepare,
    round_values,
)

PROTOTYPE_DTYPES = {
    "segmentation": "string",
    "model_version": "Int64",
    "as_of_date": "datetime64[ns]",
    "algorithm": "string",
    "cluster_count": "Int64",
    "segment_id": "string",
    "parent_segment_id": "string",
    "prototype_id": "Int64",
    "feature": "string",
    "position": "Int64",
    "transform": "string",
    "centring": "float64",
    "scale": "float64",
    "centre": "float64",
    "training_customers": "Int64",
    "configuration_hash": "string",
    "model_hash": "string",
    "status": "string",
    "reason": "string",
}


def version_in_force(published: pd.DataFrame, as_of_date) -> pd.DataFrame:
    """Return the rows of the version of one segmentation that held on a date.

    That is the highest version as of this date or earlier, or the earliest version
    if all are later; no rows if nothing was published.

    Parameters
    ----------
    published
        Rows of one segmentation in the dtypes ``PROTOTYPE_DTYPES``.
    as_of_date
        Date, timestamp or ISO text.

    """
    as_of_date = pd.Timestamp(as_of_date)
    versions = published["model_version"]
    # Data without a date of their own are always of now.
    known = (published["as_of_date"] <= as_of_date) | pd.isna(as_of_date)
    version = versions[known].max() if known.any() else versions.min()
    return _version(published, version)


def _version(published: pd.DataFrame, version) -> pd.DataFrame:
    return published[published["model_version"].eq(version).fillna(False)]


def fit_prototypes(
    sample: pd.DataFrame,
    settings: pd.DataFrame,
    candidates: pd.DataFrame,
    registry: pd.DataFrame,
) -> pd.DataFrame:
    """Return the prototypes of each segmentation: fitted, kept or rebuilt.

    A segmentation whose current version is later than the as-of date is a past
    date rebuilt: it gets the version in force then. Without a chosen candidate the
    current version goes on scoring. Otherwise the chosen number of clusters is
    fitted and matched to the current version; if that gives the current version
    again, its rows are returned as they are, so that nothing is appended.

    Parameters
    ----------
    sample
        One row per segmentation and sampled customer: segmentation, sample_rank,
        and one column per feature, in raw units.
    settings
        One row per segmentation and feature, with
        ``segmentation.preparation.SETTINGS_COLUMNS``.
    candidates
        As ``evaluate_candidates`` returns it.
    registry
        All published versions, with the columns returned here; may be empty.

    Returns
    -------
    DataFrame
        One row per segmentation, prototype and feature, with ``PROTOTYPE_DTYPES``.
        ``centre`` is in prepared units. ``training_customers`` counts the sampled
        customers nearest to the prototype in the fit. ``model_hash`` is SHA-256
        over all that scoring depends on, and neither version, date nor status.
        ``status`` is 'fitted', 'kept' or 'rebuilt'.

    Raises
    ------
    ValueError
        If a column is missing, a feature has nulls, or the candidates of a
        segmentation are absent or have more than one choice.

    """
    require_columns(
        candidates,
        ["segmentation", "cluster_count", "is_chosen", "reason"],
        name="candidates",
    )
    require_columns(registry, PROTOTYPE_DTYPES, name="registry")
    registry = with_dtypes(registry, PROTOTYPE_DTYPES)
    parts = [
        _prototypes_of(
            customers,
            rows,
            candidates[candidates["segmentation"] == segmentation],
            registry[registry["segmentation"] == segmentation],
        )
        for segmentation, customers, rows in each_segmentation(sample, settings)
    ]
    parts = [part for part in parts if not part.empty]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=list(PROTOTYPE_DTYPES))
    return with_dtypes(
        found.sort_values(["segmentation", "prototype_id", "position"]),
        PROTOTYPE_DTYPES,
    )


def _prototypes_of(customers, settings, candidates, published) -> pd.DataFrame:
    segmentation = settings["segmentation"].iloc[0]
    as_of_date = pd.to_datetime(settings["as_of_date"]).dt.normalize().iloc[0]
    if candidates.empty:
        raise ValueError(f"candidates has no rows of segmentation {segmentation!r}")
    chosen = candidates[candidates["is_chosen"].astype(bool)]
    if len(chosen) > 1:
        raise ValueError(
            f"candidates has {len(chosen)} choices for segmentation {segmentation!r}"
        )

    current = _version(published, published["model_version"].max())
    if (current["as_of_date"] > as_of_date).any():
        held = version_in_force(published, as_of_date)
        return held.assign(
            status="rebuilt",
            reason=f"version {held['model_version'].iloc[0]} was in force as of "
            f"{as_of_date.date()}",
        )
    if chosen.empty:
        why = candidates.loc[candidates["cluster_count"].isna(), "reason"]
        return current.assign(status="kept", reason=why.iloc[0] if len(why) else pd.NA)

    fitted = _fit(customers, settings, int(chosen["cluster_count"].iloc[0]), published)
    if (
        not current.empty
        and fitted["model_hash"].iloc[0] == current["model_hash"].iloc[0]
    ):
        return current
    return fitted.assign(
        model_version=1 if current.empty else current["model_version"].iloc[0] + 1,
        as_of_date=as_of_date,
        status="fitted",
        reason=_reason(fitted, current),
    )


def _fit(customers, settings, cluster_count, published) -> pd.DataFrame:
    preparation = fit_preparation(customers, settings)
    first = settings.iloc[0]
    centres, labels, _ = fit_kmeans(
        prepare(customers, preparation),
        cluster_count,
        random_seed=int(first["random_seed"]),
    )
    segments = _identify(
        customers, labels, len(centres), first["segmentation"], published
    )
    segments["training_customers"] = np.bincount(labels, minlength=len(centres))
    segments["cluster"] = range(len(centres))
    segments = segments.sort_values(
        "segment_id", key=lambda ids: ids.map(segment_number), ignore_index=True
    )
    segments["prototype_id"] = segments.index + 1
    rows = segments.merge(preparation, how="cross").assign(
        segmentation=first["segmentation"],
        algorithm=first["algorithm"],
        cluster_count=cluster_count,
        configuration_hash=first["configuration_hash"],
    )
    # The cross join goes through the features of one prototype after another.
    rows["centre"] = centres[segments["cluster"]].ravel()
    return rows.assign(model_hash=_model_hash(rows))


def _identify(
    customers, labels, cluster_count, segmentation, published
) -> pd.DataFrame:
    """Return segment_id and parent_segment_id of each cluster, in cluster order."""
    ids: list = [None] * cluster_count
    parents: list = [None] * cluster_count
    current = _version(published, published["model_version"].max())
    if not current.empty and _has_values(customers, current["feature"].unique()):
        old = current.drop_duplicates("segment_id").sort_values("prototype_id")
        points = prepare(
            customers, current[list(PREPARATION_DTYPES)].drop_duplicates("feature")
        )
        old_centres = (
            current.sort_values(["prototype_id", "position"])["centre"]
            .to_numpy()
            .reshape(len(old), -1)
        )
        # The means of the new segments in the old space work across changes of
        # scaling, transforms and features alike.
        new_centres = np.array(
            [points[labels == cluster].mean(axis=0) for cluster in range(cluster_count)]
        )
        matches = match_segments(
            labels, nearest(points, old_centres), round_values(new_centres), old_centres
        )
        for match in matches.itertuples():
            if not pd.isna(match.old):
                ids[match.new] = old["segment_id"].iloc[match.old]
                parents[match.new] = old["parent_segment_id"].iloc[match.old]
            elif not pd.isna(match.parent):
                parents[match.new] = old["segment_id"].iloc[match.parent]
    # After the highest number ever used: a retired segment's number stays retired.
    number = max(map(segment_number, published["segment_id"].unique()), default=0)
    for cluster, segment_id in enumerate(ids):
        if segment_id is None:
            number += 1
            ids[cluster] = f"{segmentation}-{number}"
    return pd.DataFrame(
        {
            "segment_id": pd.array(ids, dtype="string"),
            "parent_segment_id": pd.array(parents, dtype="string"),
        }
    )


def _has_values(customers: pd.DataFrame, features) -> bool:
    """Tell whether the customers can be labelled by these features at all."""
    return set(features) <= set(customers.columns) and bool(
        customers[list(features)].notna().all(axis=None)
    )


def _model_hash(rows: pd.DataFrame) -> str:
    """Return SHA-256 over the parameters, ordered and as text of 9 decimals."""
    parameters = rows.sort_values(["prototype_id", "position"])
    numbers = {
        column: [f"{value:.9f}" for value in parameters[column]]
        for column in ("centring", "scale", "centre")
    }
    texts = {
        column: parameters[column].astype("string").fillna("").tolist()
        for column in (
            "segmentation",
            "algorithm",
            "configuration_hash",
            "segment_id",
            "parent_segment_id",
            "feature",
            "position",
            "transform",
        )
    }
    text = json.dumps(texts | numbers, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _reason(fitted: pd.DataFrame, current: pd.DataFrame) -> str:
    if current.empty:
        return "first version"
    column = "configuration_hash"
    same = fitted[column].iloc[0] == current[column].iloc[0]
    return (
        f"the {'data' if same else 'configuration'} changed since version "
        f"{current['model_version'].iloc[0]}"
    )
