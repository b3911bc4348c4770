"""Naming: what a segment is called, by personas or else by what sets it apart."""

import numpy as np
import pandas as pd

from segmentation.frames import require_columns, with_dtypes
from segmentation.identity import segment_number

NAME_DTYPES = {
    "segmentation": "string",
    "segment_id": "string",
    "persona": "string",
    "segment_name": "string",
}
UNMATCHED = "unmatched"


def name_segments(profiles: pd.DataFrame, personas: pd.DataFrame) -> pd.DataFrame:
    """Return one persona and one name per segment, unique in its segmentation.

    Personas are gone through by priority, then by their own name. Each takes, of
    the segments it fits that have no name yet, the one with the highest revenue
    share (then the smaller segment number). A segment that none takes is named
    after its top differentiators, as "High spend, low orders": the two features
    with the largest ``|ln(index)|``; a third feature or at last the segment number
    tells it from a segment of the same name. Of a category only levels that are more
    frequent than in all count: that few are on one plan does not say who they are.

    Parameters
    ----------
    profiles
        One row per segmentation, segment and feature: segmentation, segment_id,
        feature (of a level, ``feature=level``), feature_label (business word),
        index_against_all (segment mean / population mean; may be null),
        segment_revenue_share (0 to 1; may be null).
    personas
        One row per condition: segmentation, persona, segment_name, priority (the
        smaller first), feature, minimum_index (inclusive) and maximum_index
        (exclusive); a null bound does not bound. A condition on an index that is
        null or absent does not hold.

    Returns
    -------
    DataFrame
        segmentation, segment_id, persona ('unmatched' where none took the segment)
        and segment_name, ordered by segmentation and segment number.

    Raises
    ------
    ValueError
        If a column is missing, a persona has two names or priorities, or a profile
        has a feature twice.

    """
    require_columns(
        profiles,
        [
            "segmentation",
            "segment_id",
            "feature",
            "feature_label",
            "index_against_all",
            "segment_revenue_share",
        ],
        name="profiles",
    )
    require_columns(
        personas,
        [
            "segmentation",
            "persona",
            "segment_name",
            "priority",
            "feature",
            "minimum_index",
            "maximum_index",
        ],
        name="personas",
    )
    repeated = profiles.duplicated(["segmentation", "segment_id", "feature"])
    if repeated.any():
        first = profiles[repeated].iloc[0]
        raise ValueError(
            f"profiles have feature {first['feature']!r} of segment "
            f"{first['segment_id']!r} twice"
        )
    heads = personas.drop_duplicates(
        ["segmentation", "persona", "segment_name", "priority"]
    )
    repeated = heads.duplicated(["segmentation", "persona"])
    if repeated.any():
        raise ValueError(
            f"persona {heads[repeated]['persona'].iloc[0]!r} has more than one "
            "segment_name or priority"
        )

    rows = []
    for segmentation, profile in profiles.groupby("segmentation", sort=True):
        own = personas[personas["segmentation"] == segmentation]
        segments = sorted(set(profile["segment_id"]), key=segment_number)
        named = _match_personas(profile, own, segments)
        taken = {name for _, name in named.values()}
        for segment_id in segments:
            if segment_id not in named:
                name = _plain_name(profile, segment_id, taken)
                named[segment_id] = (UNMATCHED, name)
                taken.add(name)
            rows.append((segmentation, segment_id, *named[segment_id]))
    return with_dtypes(pd.DataFrame(rows, columns=list(NAME_DTYPES)), NAME_DTYPES)


def _match_personas(profile, personas, segments) -> dict[str, tuple[str, str]]:
    """Return persona and name of the segments that a persona takes."""
    shares = (
        profile.groupby("segment_id")["segment_revenue_share"]
        .max()
        .astype("float64")
        .fillna(-np.inf)
    )
    # A stable sort: equal shares stay in the order of the segment numbers.
    by_revenue = sorted(segments, key=lambda segment_id: -shares[segment_id])
    named: dict[str, tuple[str, str]] = {}
    taken = set()
    ordered = personas.sort_values(["priority", "persona"])
    for persona, conditions in ordered.groupby("persona", sort=False):
        name = conditions["segment_name"].iloc[0]
        fits = _fits(profile, conditions)
        free = [s for s in by_revenue if s in fits and s not in named]
        if free and name not in taken:
            named[free[0]] = (persona, name)
            taken.add(name)
    return named


def _fits(profile: pd.DataFrame, conditions: pd.DataFrame) -> set[str]:
    """Return the segments for which all conditions hold."""
    fits = set(profile["segment_id"])
    for condition in conditions.itertuples():
        rows = profile[profile["feature"] == condition.feature]
        index = rows["index_against_all"].astype("float64")
        holds = index.notna()
        if not pd.isna(condition.minimum_index):
            holds &= index >= condition.minimum_index
        if not pd.isna(condition.maximum_index):
            holds &= index < condition.maximum_index
        fits &= set(rows.loc[holds, "segment_id"])
    return fits


def _plain_name(profile: pd.DataFrame, segment_id: str, taken: set[str]) -> str:
    own = profile[profile["segment_id"] == segment_id].dropna(
        subset="index_against_all"
    )
    # An index below zero (more refunds than sales) has no logarithm; like zero it
    # is as low as can be.
    indices = own["index_against_all"].to_numpy(dtype=float).clip(min=0)
    with np.errstate(divide="ignore"):
        logs = np.log(indices).round(9)
    own = own.assign(log=logs, strength=np.abs(logs))
    own = own[(logs > 0) | ~own["feature"].str.contains("=")]
    own = own[own["strength"] > 0].sort_values(
        ["strength", "feature"], ascending=[False, True]
    )
    words = [
        f"{'high' if row.log > 0 else 'low'} {str(row.feature_label).lower()}"
        for row in own.itertuples()
    ] or ["close to the average"]
    names = [", ".join(words[:count]).capitalize() for count in (2, 3)]
    names.append(f"{names[0]} ({segment_number(segment_id)})")
    return next(name for name in names if name not in taken)
