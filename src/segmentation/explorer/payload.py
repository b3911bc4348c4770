"""The figures of the page as one plain object: pure functions of published frames.

Its size is bounded whatever the number of customers: by segments, countries, months and
the samples of ``reading``. A part whose frame is missing or empty is left out, and with
it the chart.
"""

import re

import pandas as pd

from segmentation.explorer.evidence import (
    candidates,
    churn_validation,
    health,
    horizon_days,
    quality,
    value_validation,
)
from segmentation.explorer.features import (
    customer_map,
    feature_labels,
    profiles,
    risk,
)
from segmentation.explorer.history import (
    cohorts,
    migration,
    second_purchase,
    trends,
)
from segmentation.explorer.reading import OTHER_COUNTRIES, UNKNOWN_COUNTRY
from segmentation.explorer.values import (
    Numbering,
    columns_of,
    in_words,
    plain,
    rows_of,
)

REST_PERSONAS = ("not_segmented",)


def make_payload(frames: dict[str, pd.DataFrame], manifest: dict) -> dict:
    """Return what the page shows, ready for JSON.

    Parameters
    ----------
    frames
        As ``read_figures`` returns them.
    manifest
        Of the set: input, as_of_date, folder and, where there is one, currency.

    Returns
    -------
    A dictionary of plain values without NaN. Segments and countries are numbers: the
    places in ``segmentations[...].segments`` and ``countries``. Tables are
    dictionaries of columns.

    """
    segmentations = _segmentations(frames)
    segment_numbers = {
        entry["id"]: {s["id"]: n for n, s in enumerate(entry["segments"])}
        for entry in segmentations
    }
    countries = _countries(frames)
    country_numbers = {name: number for number, name in enumerate(countries)}
    numbered = Numbering(segment_numbers, country_numbers)
    labels = feature_labels(frames)
    parts = {
        "cells": _cells(frames, numbered),
        "recommendations": _recommendations(frames, segment_numbers),
        "profiles": profiles(frames, numbered),
        "map": customer_map(frames, numbered, labels),
        "candidates": candidates(frames),
        "migration": migration(frames, segment_numbers),
        "trends": trends(frames, segment_numbers),
        "cohorts": cohorts(frames),
        "second_purchase": second_purchase(frames),
        "risk": risk(frames, numbered),
        "value_validation": value_validation(frames),
        "churn_validation": churn_validation(frames),
        "quality": quality(frames),
        "health": health(frames),
        "horizon_days": horizon_days(frames),
    }
    payload = {
        "input": manifest["input"],
        "as_of_date": manifest.get("as_of_date"),
        "currency": manifest.get("currency") or "",
        "set": manifest["folder"],
        "countries": countries,
        "segmentations": segmentations,
        **{name: part for name, part in parts.items() if part},
    }
    return payload


def _segmentations(frames) -> list[dict]:
    """Each segmentation with its active segments: most revenue first, the rest last."""
    segmentations = rows_of(frames, "dim_segmentations")
    segments = rows_of(frames, "dim_segments")
    summary = rows_of(frames, "rpt_segment_summary")
    if segmentations is None or segments is None or summary is None:
        return []
    segments = segments[segments["status"] == "active"].merge(
        summary, on=["segmentation", "segment_id"], how="left"
    )
    segments = segments.assign(
        is_rest=segments["persona"].isin(REST_PERSONAS),
        weight=segments["revenue"].fillna(segments["customer_count"]),
    ).sort_values(["is_rest", "weight", "segment_id"], ascending=[True, False, True])
    entries = []
    order = segmentations.sort_values(
        ["is_primary", "segmentation"], ascending=[False, True]
    )
    for row in order.itertuples():
        own = segments[segments["segmentation"] == row.segmentation]
        if own["customer_count"].fillna(0).sum() == 0:
            continue
        entries.append(
            {
                "id": row.segmentation,
                "label": in_words(row.segmentation),
                "description": plain(row.description),
                "is_primary": bool(row.is_primary),
                "algorithm": plain(row.algorithm),
                "cluster_count": plain(row.cluster_count),
                "structure": plain(row.structure),
                "status": plain(row.status),
                "reason": plain(row.reason),
                "model_version": plain(row.model_version),
                "stability": plain(row.stability),
                "silhouette": plain(row.silhouette),
                "tree_accuracy": plain(row.tree_accuracy),
                "segments": [
                    {
                        "id": segment.segment_id,
                        "name": segment.segment_name,
                        "colour": _colour(segment.colour),
                        "description": plain(segment.description),
                        "rule": plain(segment.rule_text),
                        "rule_precision": plain(segment.rule_precision),
                        "rule_recall": plain(segment.rule_recall),
                        "kpi": plain(segment.kpi),
                    }
                    for segment in own.itertuples()
                ],
            }
        )
    return entries


def _countries(frames) -> list[str]:
    """The countries to choose from: the largest first, then the rest; none if one."""
    cells = rows_of(frames, "cells")
    if cells is None:
        return []
    first = cells[cells["segmentation"] == cells["segmentation"].iloc[0]]
    sizes = first.groupby("country")["customers"].sum()
    if len(sizes) < 2:
        return []
    rest = {OTHER_COUNTRIES: 1, UNKNOWN_COUNTRY: 2}
    return sorted(sizes.index, key=lambda name: (rest.get(name, 0), -sizes[name], name))


def _cells(frames, numbered) -> dict | None:
    cells = rows_of(frames, "cells")
    if cells is None:
        return None
    cells = numbered.of(cells)
    return columns_of(
        cells,
        "segmentation segment country customers orders revenue order_net_amount "
        "value_at_risk churn_sum churn_count high_value_at_risk",
        significant=None,
    )


def _recommendations(frames, segment_numbers) -> list[dict] | None:
    """The actions; under next_action with how their effect could be measured."""
    rows = rows_of(frames, "rpt_recommendations")
    if rows is None:
        return None
    audiences = rows_of(frames, "rpt_audiences")
    measured = (
        {}
        if audiences is None
        else {(r.group_id, r.action): r for r in audiences.itertuples()}
    )
    listed = []
    for row in rows.sort_values(
        ["segmentation", "worth_rank", "segment_id", "action"]
    ).itertuples():
        entry = {
            name: plain(getattr(row, name))
            for name in rows.columns
            if name not in ("segment_id", "worth_rank")
        }
        entry["segment"] = segment_numbers.get(row.segmentation, {}).get(row.segment_id)
        audience = (
            measured.get((row.segment_id, row.action))
            if row.segmentation == "next_action"
            else None
        )
        if audience is not None:
            entry["audience"] = {
                "treatment_count": plain(audience.treatment_count),
                "control_count": plain(audience.control_count),
                "detectable_lift": plain(audience.detectable_lift),
                "can_be_measured": plain(audience.can_be_measured),
                "status": plain(audience.measurement_status),
            }
        listed.append(entry)
    return listed


def _colour(text) -> str:
    """A colour that is one, whatever the seed says."""
    is_colour = isinstance(text, str) and re.fullmatch("#[0-9a-fA-F]{6}", text)
    return text.lower() if is_colour else "#777777"
