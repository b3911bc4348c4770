"""Prototypes: the points by which SQL scores every customer, and their versions."""

import hashlib
import json

import numpy as np
import pandas as pd

from segmentation.clustering import (
    NOISE,
    Clustering,
    assign,
    fit_clustering,
    fit_tertiles,
    nearest,
)
from segmentation.customer_map import fit_map
from segmentation.frames import require_columns, with_dtypes
from segmentation.identity import match_segments, segment_number
from segmentation.preparation import (
    OPTIONAL_SETTINGS,
    PREPARATION_DTYPES,
    each_segmentation,
    fit_preparation,
    is_refit,
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
    **PREPARATION_DTYPES,
    "centre": "float64",
    "radius": "float64",
    "outlier_segment_id": "string",
    "training_customers": "Int64",
    "changed_by_model_share": "float64",
    "configuration_hash": "string",
    "model_hash": "string",
    "status": "string",
    "reason": "string",
}
# The algorithm of what is published where no clusters are stable.
TERTILES = "tertiles"
# What the first registries had. Any other column came later, and is null there.
ORIGINAL_COLUMNS = (
    "segmentation",
    "model_version",
    "as_of_date",
    "algorithm",
    "cluster_count",
    "segment_id",
    "parent_segment_id",
    "prototype_id",
    "feature",
    "position",
    "transform",
    "centring",
    "scale",
    "centre",
    "training_customers",
    "configuration_hash",
    "model_hash",
    "status",
    "reason",
)


def complete_registry(registry: pd.DataFrame) -> pd.DataFrame:
    """Return the registry with ``PROTOTYPE_DTYPES``, later columns null if absent.

    Raises
    ------
    ValueError
        If one of the ``ORIGINAL_COLUMNS`` is missing.

    """
    require_columns(registry, ORIGINAL_COLUMNS, name="registry")
    return with_dtypes(
        registry.reindex(columns=list(PROTOTYPE_DTYPES)), PROTOTYPE_DTYPES
    )


def version_in_force(published: pd.DataFrame, as_of_date) -> pd.DataFrame:
    """Return the rows of the version of one segmentation that held on a date.

    That is the highest version as of this date or earlier, or the earliest version
    if all are later; no rows if nothing was published. Without a date (customers
    without orders have no clock) it is the highest version.

    Parameters
    ----------
    published
        Rows of one segmentation in the dtypes ``PROTOTYPE_DTYPES``.
    as_of_date
        Date, timestamp or ISO text; null for no date.

    """
    if pd.isna(as_of_date):
        return _version(published, published["model_version"].max())
    known = published["as_of_date"] <= pd.Timestamp(as_of_date)
    versions = published["model_version"]
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
    date rebuilt: it gets the version in force then. Where ``is_refit`` of the settings
    is false, the current version goes on and nothing is fitted. Without a chosen
    candidate the current version goes on scoring. Otherwise the chosen number of
    clusters is fitted and matched to the current version; if that gives the current
    version again, its rows are returned as they are, so that nothing is appended.

    Where no number of clusters is stable, nothing was published and the ``fallback``
    of the settings is 'tertiles', the customers are parted into thirds along the
    first principal component (Pearson 1901) of the prepared sample; its sign is that
    of ``fit_map``. They are slices and no discovery, and called so.

    Parameters
    ----------
    sample
        One row per segmentation and sampled customer: segmentation, sample_rank,
        and one column per feature, in raw units.
    settings
        One row per segmentation and feature, with
        ``segmentation.preparation.SETTINGS_COLUMNS`` and any of its
        ``OPTIONAL_SETTINGS`` and ``REFIT_SETTINGS``.
    candidates
        As ``evaluate_candidates`` returns it.
    registry
        All published versions, with the columns returned here; may be empty.

    Returns
    -------
    DataFrame
        One row per segmentation, prototype and prepared column, with
        ``PROTOTYPE_DTYPES``; a segment may have several prototypes. ``centre`` and
        ``radius`` are in prepared units: whose nearest prototype is farther away
        than the radius (null: no limit) is in the segment ``outlier_segment_id``,
        which may have no prototype of its own, or one like any other segment.
        ``training_customers`` counts the sampled customers of the prototype in the
        fit, without those beyond the radius. ``changed_by_model_share`` is the share
        of all sampled customers who are in another segment by this version than by the
        one before it, both on the data of the fit: that is the model's doing and
        nobody's behaviour (6 decimals; null in a first version, and where a feature of
        the version before is gone). ``model_hash`` is SHA-256
        over all that scoring depends on, and neither version, date nor status.
        ``status`` is 'fitted', 'fallback' (algorithm 'tertiles', 3 clusters),
        'kept' or 'rebuilt'.

    Raises
    ------
    ValueError
        If a column is missing, a feature has nulls, or the candidates of a
        segmentation are absent or have more than one choice.

    """
    require_columns(
        candidates,
        ["segmentation", "cluster_count", "is_chosen", "status", "reason"],
        name="candidates",
    )
    registry = complete_registry(registry)
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
    as_of_date = pd.Timestamp(settings["as_of_date"].iloc[0])
    if not pd.isna(as_of_date):  # customers without orders have no clock
        as_of_date = as_of_date.normalize()
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
    if not is_refit(settings):
        return _kept(current, as_of_date, settings["refit_reason"].iloc[0])
    if chosen.empty:
        without = candidates[candidates["cluster_count"].isna()].head(1)
        fitted = _fallback(customers, settings, without, published)
        if fitted is None or not (current.empty or _same(fitted, current)):
            why = without["reason"].iloc[0] if len(without) else pd.NA
            return current.assign(status="kept", reason=why)
        reason = (
            "thirds of the first principal component, because "
            f"{without['reason'].iloc[0]}"
        )
        status = "fallback"
    else:
        cluster_count = int(chosen["cluster_count"].iloc[0])
        fitted = _fit(customers, settings, cluster_count, published)
        status, reason = "fitted", _reason(settings, fitted, current)
    if _same(fitted, current):
        return current
    return fitted.assign(
        model_version=1 if current.empty else current["model_version"].iloc[0] + 1,
        as_of_date=as_of_date,
        status=status,
        reason=reason,
    )


def _kept(current: pd.DataFrame, as_of_date, reason) -> pd.DataFrame:
    """Return a version that goes on; on the day of its fit it is as it was fitted.

    So a build of the same day gives the same rows as the build that published it.
    """
    if (current["as_of_date"] < as_of_date).any():
        return current.assign(status="kept", reason=reason)
    return current


def _same(fitted: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Tell whether a fit is the current version again."""
    return bool(
        not current.empty
        and fitted["model_hash"].iloc[0] == current["model_hash"].iloc[0]
    )


def _fit(customers, settings, cluster_count, published) -> pd.DataFrame:
    preparation = fit_preparation(customers, settings)
    first = settings.iloc[0]
    points = prepare(customers, preparation)
    fitted = fit_clustering(
        points,
        first["algorithm"],
        cluster_count,
        random_seed=int(first["random_seed"]),
    )
    return _as_rows(
        customers,
        points,
        preparation,
        fitted,
        published,
        segmentation=first["segmentation"],
        algorithm=first["algorithm"],
        cluster_count=cluster_count,
        configuration_hash=first["configuration_hash"],
    )


def _fallback(customers, settings, without, published) -> pd.DataFrame | None:
    """Return the thirds, or None where they are not asked for or cannot be told."""
    first = settings.iloc[0]
    if (
        first.get("fallback", OPTIONAL_SETTINGS["fallback"]) != TERTILES
        or not without["status"].eq("unstable").any()
    ):
        return None
    preparation = fit_preparation(customers, settings)
    points = prepare(customers, preparation)
    component = fit_map(points, preparation, component_count=1)
    fitted = fit_tertiles(points, component["loading"].to_numpy())
    if fitted is None:
        return None
    return _as_rows(
        customers,
        points,
        preparation,
        fitted,
        published,
        segmentation=first["segmentation"],
        algorithm=TERTILES,
        cluster_count=fitted.segment_count,
        configuration_hash=first["configuration_hash"],
    )


def _as_rows(
    customers, points, preparation, fitted, published, **constants
) -> pd.DataFrame:
    """Return a clustering as rows with the ids of its segments; no version yet."""
    labels = assign(points, fitted)
    segments, changed = _identify(
        customers,
        labels,
        fitted.segment_count,
        constants["segmentation"],
        published,
        has_outliers=bool(np.isfinite(fitted.radius) or (labels == NOISE).any()),
    )
    # NOISE is -1, and the outliers are the last row.
    prototypes = segments.iloc[fitted.segments].reset_index(drop=True)
    inside = nearest(points, fitted.prototypes)[
        (labels != NOISE) | (not np.isfinite(fitted.radius))
    ]
    prototypes["training_customers"] = np.bincount(
        inside, minlength=len(fitted.prototypes)
    )
    prototypes["place"] = range(len(prototypes))
    prototypes = prototypes.sort_values(
        "segment_id",
        key=lambda ids: ids.map(segment_number),
        kind="stable",
        ignore_index=True,
    )
    prototypes["prototype_id"] = prototypes.index + 1
    rows = prototypes.merge(preparation, how="cross").assign(
        radius=fitted.radius if np.isfinite(fitted.radius) else float("nan"),
        changed_by_model_share=changed,
        **constants,
    )
    # The cross join goes through the features of one prototype after another.
    rows["centre"] = fitted.prototypes[prototypes["place"]].ravel()
    rows = with_dtypes(rows.reindex(columns=list(PROTOTYPE_DTYPES)), PROTOTYPE_DTYPES)
    return rows.assign(model_hash=_model_hash(rows))


def _identify(
    customers, labels, segment_count, segmentation, published, *, has_outliers
) -> tuple[pd.DataFrame, float]:
    """Return the ids of each segment, in their order, and of the outliers last.

    The columns are segment_id, parent_segment_id and outlier_segment_id. Outliers
    are what they are by the rule and not by their customers: those of the current
    version go on, whoever they are, and are never matched to an ordinary segment.
    Beside them: the share of customers who had another id by the current version.
    """
    ids: list = [None] * segment_count
    parents: list = [None] * segment_count
    outliers, old_ids = None, None
    current = _version(published, published["model_version"].max())
    if not current.empty and _has_values(customers, current):
        preparation = current[list(PREPARATION_DTYPES)].drop_duplicates("position")
        points = prepare(customers, preparation)
        old, before = _registered_clustering(current)
        old_labels = assign(points, before)
        old_ids = _ids_of(
            old_labels, old["segment_id"], current["outlier_segment_id"].iloc[0]
        )
        # The means of the new segments in the old space work across changes of
        # scaling, transforms and features alike.
        new_centres = np.array(
            [points[labels == segment].mean(axis=0) for segment in range(segment_count)]
        )
        old_centres = np.array(
            [
                before.prototypes[before.segments == segment].mean(axis=0)
                for segment in range(len(old))
            ]
        )
        matches = match_segments(
            labels, old_labels, round_values(new_centres), old_centres
        )
        for match in matches.itertuples():
            if not pd.isna(match.old):
                ids[match.new] = old["segment_id"].iloc[match.old]
                parents[match.new] = old["parent_segment_id"].iloc[match.old]
            elif not pd.isna(match.parent):
                parents[match.new] = old["segment_id"].iloc[match.parent]
    if has_outliers and current["outlier_segment_id"].notna().any():
        outliers = current["outlier_segment_id"].iloc[0]
    # After the highest number ever used: a retired segment's number stays retired.
    used = {*published["segment_id"], *published["outlier_segment_id"].dropna()}
    number = max(map(segment_number, used), default=0)
    for position, segment_id in enumerate(ids):
        if segment_id is None:
            number += 1
            ids[position] = f"{segmentation}-{number}"
    if has_outliers and outliers is None:
        outliers = f"{segmentation}-{number + 1}"
    changed = float("nan")
    if old_ids is not None:
        changed = round(float((_ids_of(labels, ids, outliers) != old_ids).mean()), 6)
    segments = pd.DataFrame(
        {
            "segment_id": pd.array([*ids, outliers], dtype="string"),
            "parent_segment_id": pd.array([*parents, None], dtype="string"),
            "outlier_segment_id": pd.array(
                [outliers] * (segment_count + 1), dtype="string"
            ),
        }
    )
    return segments, changed


def _ids_of(labels: np.ndarray, ids, outliers) -> np.ndarray:
    """Return the id of each label; NOISE is -1, and the outliers stand last."""
    names = [*ids, "" if pd.isna(outliers) else outliers]
    return np.array(names, dtype=str)[labels]


def _registered_clustering(current: pd.DataFrame) -> tuple[pd.DataFrame, Clustering]:
    """Return the segments of a version, and how it scores, in their positions."""
    rows = current.sort_values(["prototype_id", "position"])
    prototypes = rows.drop_duplicates("prototype_id")
    outliers = current["outlier_segment_id"].iloc[0]
    segments = prototypes.drop_duplicates("segment_id")
    segments = segments[(segments["segment_id"] != outliers).fillna(True)]
    place = {segment_id: n for n, segment_id in enumerate(segments["segment_id"])}
    radius = current["radius"].iloc[0]
    return segments, Clustering(
        rows["centre"].to_numpy(dtype=float).reshape(len(prototypes), -1),
        np.array([place.get(found, NOISE) for found in prototypes["segment_id"]]),
        np.inf if np.isnan(radius) else float(radius),
        np.array([], dtype=int),
        float("nan"),
    )


def _has_values(customers: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Tell whether the customers can be labelled by a version's features at all."""
    for feature, rows in current.groupby("feature"):
        if feature not in customers.columns:
            return False
        filled = rows[["fill_value", "fill_level"]].notna().any(axis=1).all()
        if not filled and customers[feature].isna().any():
            return False
    return True


def _model_hash(rows: pd.DataFrame) -> str:
    """Return SHA-256 over the parameters, ordered and as text of 9 decimals.

    A column that is null throughout is left out, so that columns which a later
    release adds leave the hash of what was published before them as it is.
    """
    parameters = rows.sort_values(["prototype_id", "position"])
    kinds = PREPARATION_DTYPES | {
        "segmentation": "string",
        "algorithm": "string",
        "configuration_hash": "string",
        "segment_id": "string",
        "parent_segment_id": "string",
        "outlier_segment_id": "string",
        "centre": "float64",
        "radius": "float64",
    }
    content = {}
    for column, kind in kinds.items():
        values = parameters[column]
        if column != "parent_segment_id" and values.isna().all():
            continue
        content[column] = (
            [f"{value:.9f}" for value in values]
            if kind == "float64"
            else values.astype("string").fillna("").tolist()
        )
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _reason(settings, fitted: pd.DataFrame, current: pd.DataFrame) -> str:
    if "refit_reason" in settings:
        return settings["refit_reason"].iloc[0]
    if current.empty:
        return "first version"
    column = "configuration_hash"
    same = fitted[column].iloc[0] == current[column].iloc[0]
    return (
        f"the {'data' if same else 'configuration'} changed since version "
        f"{current['model_version'].iloc[0]}"
    )
