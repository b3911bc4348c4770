"""Known evidence: which rows of an earlier build hold, so they need no measuring."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from segmentation.evidence import MINIMUM_STABILITY
from segmentation.preparation import (
    OPTIONAL_SETTINGS,
    REFIT_SETTINGS,
    VOLUME_FEATURE,
    round_values,
)

# To be raised whenever a measure, the choice or the words of a reason change, so that
# what an earlier release measured is measured anew.
EVIDENCE_VERSION = 1
# Of the 6 decimals that the measures are stored with.
ROUNDING = 1e-6


class Choice(NamedTuple):
    """A published number of clusters, and the version since which it holds."""

    cluster_count: int
    since: int


def evidence_key(
    customers: pd.DataFrame,
    settings: pd.DataFrame,
    earlier: pd.DataFrame,
    decided_by: Choice | None = None,
) -> str:
    """Return SHA-256 of all that the candidates of one segmentation depend on.

    Parameters
    ----------
    customers
        The sampled customers by sample_rank, features in raw units. Of the columns
        count the rank, the features of the settings and, where ``check_volume`` is
        set, the number of orders.
    settings
        The rows of the segmentation, in any order. The as-of date does not count: it
        tells which version was in force, and the data are what they are without it.
        Nor does why it is fitted anew.
    earlier
        The customers as of half a period ago, by sample_rank; may have no rows.
    decided_by
        The published choice, if the rows would be other ones without it.

    Returns
    -------
    str
        64 hexadecimal digits.

    """
    settings = settings.drop(columns=["as_of_date", *REFIT_SETTINGS], errors="ignore")
    settings = settings.sort_values("position")
    text = settings[sorted(settings.columns)].astype("string").fillna("")
    kinds = dict(
        zip(
            settings["feature"],
            settings.get("kind", [OPTIONAL_SETTINGS["kind"]] * len(settings)),
            strict=True,
        )
    )
    digest = hashlib.sha256()
    for part in (EVIDENCE_VERSION, decided_by, text.to_dict("list")):
        digest.update(json.dumps(part).encode() + b"\n")
    for content in _contents(earlier, kinds):
        digest.update(content)
    has_check = "check_volume" in settings and settings["check_volume"].any()
    if has_check and VOLUME_FEATURE in customers:
        kinds = kinds | {VOLUME_FEATURE: "numeric"}
    for content in _contents(customers, kinds):
        digest.update(content)
    return digest.hexdigest()


def _contents(rows: pd.DataFrame, kinds: dict) -> Iterator[bytes]:
    """Yield the values as bytes: numbers rounded as they are when they are prepared."""
    yield f"{len(rows)} rows\n".encode()
    yield rows["sample_rank"].to_numpy(dtype="<i8").tobytes()
    for feature, kind in kinds.items():
        values = rows[feature]
        if kind == "categorical":
            yield json.dumps(values.astype("string").fillna("").tolist()).encode()
            yield values.isna().to_numpy().tobytes()
        else:
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            yield round_values(numbers).astype("<f8").tobytes()


def reusable_rows(
    known: pd.DataFrame,
    key_of: Callable[[Choice | None], str],
    held: Choice | None,
) -> pd.DataFrame | None:
    """Return the known rows of one segmentation if measuring would give them again.

    Parameters
    ----------
    known
        As ``evaluate_candidates`` returned them; may have no rows.
    key_of
        The ``evidence_key`` of now, given the published choice that decided.
    held
        The published choice that is in force.

    Returns
    -------
    DataFrame or None

    """
    keys = known["evidence_key"].unique()
    if len(keys) != 1 or pd.isna(keys[0]):
        return None
    if held is not None and keys[0] == key_of(held):
        return known
    if keys[0] != key_of(None):
        return None
    # What was published meanwhile makes no difference if it is the choice itself, or
    # a k that is refused although it is published.
    chosen = known.loc[known["is_chosen"], "cluster_count"].tolist()
    if held is None or held.cluster_count in chosen:
        return known
    of_held = known[
        (known["cluster_count"] == held.cluster_count)
        & ~known["reason"].str.startswith("for comparison").fillna(False)
    ]
    may_pass = of_held["is_usable"] | (
        of_held["reason"].str.startswith("stability").fillna(False)
        & (
            of_held["stability"] + of_held["stability_error"]
            >= MINIMUM_STABILITY - ROUNDING
        )
    )
    return None if may_pass.any() else known
