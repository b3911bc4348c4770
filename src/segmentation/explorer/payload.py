"""The figures of the page as one plain object: pure functions of published frames.

Its size is bounded whatever the number of customers: by segments, countries, months and
the samples of ``reading``. A part whose frame is missing or empty is left out, and with
it the chart.
"""

import math
import re

import pandas as pd

from segmentation.explorer.reading import OTHER_COUNTRIES, UNKNOWN_COUNTRY

PROFILE_FEATURES = 8
HOVER_FEATURES = 5
MONTHS = 24
COHORTS = 24
COHORT_MONTHS = 24
CURVE_POINTS = 150
CURVES_OF_A_KIND = 14
QUARANTINE_REASONS = 12
SIGNIFICANT = 6
ENTERED = "none"  # where a customer of the migration came from who was nowhere
# Features of rules that have no fit.
RFM_FEATURES = ("recency_days", "frequency", "monetary")
# A share that is drawn towards that of all, so that few orders make no extremes. The
# fit uses it; people read the share itself.
SHRUNK = "shrunk_"
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
    numbered = _Numbering(segment_numbers, country_numbers)
    labels = _feature_labels(frames)
    parts = {
        "cells": _cells(frames, numbered),
        "recommendations": _recommendations(frames, segment_numbers),
        "profiles": _profiles(frames, numbered),
        "map": _map(frames, numbered, labels),
        "candidates": _candidates(frames),
        "migration": _migration(frames, segment_numbers),
        "trends": _trends(frames, segment_numbers),
        "cohorts": _cohorts(frames),
        "second_purchase": _second_purchase(frames),
        "risk": _risk(frames, numbered),
        "value_validation": _value_validation(frames),
        "churn_validation": _churn_validation(frames),
        "quality": _quality(frames),
        "health": _health(frames),
        "horizon_days": _horizon(frames),
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


class _Numbering:
    """Names of segments and countries to their places in the payload."""

    def __init__(self, segments: dict, countries: dict):
        self._segments = segments
        self._countries = countries

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of active segments; segment and country are numbers."""
        segment = [
            self._segments.get(segmentation, {}).get(segment)
            for segmentation, segment in zip(
                frame["segmentation"], frame["segment_id"], strict=True
            )
        ]
        country = [self._countries.get(name, 0) for name in frame["country"]]
        frame = frame.assign(segment=segment, country=country)
        frame = frame[frame["segment"].notna()]
        return frame.assign(segment=frame["segment"].astype(int))


# ---- what is chosen from: segmentations, segments, countries -----------------------


def _segmentations(frames) -> list[dict]:
    """Each segmentation with its active segments: most revenue first, the rest last."""
    segmentations = _frame(frames, "dim_segmentations")
    segments = _frame(frames, "dim_segments")
    summary = _frame(frames, "rpt_segment_summary")
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
                "label": _words(row.segmentation),
                "description": _plain(row.description),
                "is_primary": bool(row.is_primary),
                "algorithm": _plain(row.algorithm),
                "cluster_count": _plain(row.cluster_count),
                "structure": _plain(row.structure),
                "status": _plain(row.status),
                "reason": _plain(row.reason),
                "model_version": _plain(row.model_version),
                "stability": _plain(row.stability),
                "silhouette": _plain(row.silhouette),
                "tree_accuracy": _plain(row.tree_accuracy),
                "segments": [
                    {
                        "id": segment.segment_id,
                        "name": segment.segment_name,
                        "colour": _colour(segment.colour),
                        "description": _plain(segment.description),
                        "rule": _plain(segment.rule_text),
                        "rule_precision": _plain(segment.rule_precision),
                        "rule_recall": _plain(segment.rule_recall),
                        "kpi": _plain(segment.kpi),
                    }
                    for segment in own.itertuples()
                ],
            }
        )
    return entries


def _countries(frames) -> list[str]:
    """The countries to choose from: the largest first, then the rest; none if one."""
    cells = _frame(frames, "cells")
    if cells is None:
        return []
    first = cells[cells["segmentation"] == cells["segmentation"].iloc[0]]
    sizes = first.groupby("country")["customers"].sum()
    if len(sizes) < 2:
        return []
    rest = {OTHER_COUNTRIES: 1, UNKNOWN_COUNTRY: 2}
    return sorted(sizes.index, key=lambda name: (rest.get(name, 0), -sizes[name], name))


def _feature_labels(frames) -> dict[str, dict]:
    """Business words and unit of each feature."""
    profiles = _frame(frames, "rpt_segment_profiles")
    if profiles is None:
        return {}
    return {
        row.feature: {"label": row.feature_label, "unit": row.unit}
        for row in profiles.drop_duplicates("feature").itertuples()
    }


# ---- figures that a choice changes -------------------------------------------------


def _cells(frames, numbered) -> dict | None:
    cells = _frame(frames, "cells")
    if cells is None:
        return None
    cells = numbered.of(cells)
    return _columns(
        cells,
        "segmentation segment country customers orders revenue order_net_amount "
        "lifetime_value value_at_risk churn_sum churn_count high_value_at_risk",
        significant=None,
    )


def _recommendations(frames, segment_numbers) -> list[dict] | None:
    """The actions; under next_action with how their effect could be measured."""
    rows = _frame(frames, "rpt_recommendations")
    if rows is None:
        return None
    audiences = _frame(frames, "rpt_audiences")
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
            name: _plain(getattr(row, name))
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
                "treatment_count": _plain(audience.treatment_count),
                "control_count": _plain(audience.control_count),
                "detectable_lift": _plain(audience.detectable_lift),
                "can_be_measured": _plain(audience.can_be_measured),
                "status": _plain(audience.measurement_status),
            }
        listed.append(entry)
    return listed


def _profiles(frames, numbered) -> dict | None:
    profiles = _frame(frames, "rpt_segment_profiles")
    if profiles is None:
        return None
    ranks = _feature_ranks(frames)
    means = _frame(frames, "country_means")
    means = None if means is None else numbered.of(means)
    found = {}
    for segmentation, rows in profiles.groupby("segmentation", sort=True):
        used, others = ranks.get(segmentation) or _ranks_by_effect(rows)
        # Levels are shares of a category: shown where the category makes the segments.
        numeric = rows[rows["level"].isna() | rows["feature"].isin(used)]
        known = list(dict.fromkeys(numeric["feature_level"]))
        feature_of = dict(
            zip(numeric["feature_level"], numeric["feature"], strict=True)
        )
        order = [name for name in used + others if name in set(feature_of.values())]
        chosen = [
            level for name in order for level in known if feature_of[level] == name
        ][:PROFILE_FEATURES]
        chosen = chosen or known[:PROFILE_FEATURES]
        rows = numbered.of(rows.assign(country=""))
        rows = rows[rows["feature_level"].isin(chosen)]
        if rows.empty:
            continue
        position = {level: number for number, level in enumerate(chosen)}
        rows = rows.assign(feature_number=rows["feature_level"].map(position))
        rows = rows.sort_values(["segment", "feature_number"])
        heads = rows.drop_duplicates("feature_level").set_index("feature_level")
        entry = {
            "features": [
                {
                    "id": level,
                    "label": _level_label(heads.loc[level]),
                    "unit": heads.loc[level, "unit"],
                    "mean_of_all": _number(heads.loc[level, "mean_of_all"]),
                    "is_used": feature_of[level] in used,
                }
                for level in chosen
            ],
            **_columns(
                rows[["segment", "feature_number", "mean_value", "effect_size"]].rename(
                    columns={"feature_number": "feature"}
                ),
                "segment feature mean_value effect_size",
            ),
        }
        if means is not None:
            own = means[
                (means["segmentation"] == segmentation) & means["feature"].isin(chosen)
            ]
            own = own.assign(feature=own["feature"].map(position))
            entry["by_country"] = _columns(own, "segment feature country mean_value")
        found[segmentation] = entry
    return found or None


def _feature_ranks(frames) -> dict[str, tuple[list[str], list[str]]]:
    """Features of each segmentation: those of the fit, then by what they tell apart."""
    features = _frame(frames, "rpt_segmentation_features")
    if features is None:
        return {}
    features = features.sort_values(
        ["contribution", "eta_squared", "feature"], ascending=[False, False, True]
    )
    ranks = {}
    for segmentation, rows in features.groupby("segmentation", sort=True):
        used = rows.loc[rows["status"] == "used", "feature"].tolist()
        telling = rows.loc[rows["eta_squared"] > 0, "feature"]
        used = _as_read(used, rows["feature"])
        others = _as_read(telling, rows["feature"])
        ranks[segmentation] = (used, [name for name in others if name not in used])
    return ranks


def _ranks_by_effect(profiles) -> tuple[list[str], list[str]]:
    """The same for fixed rules: what RFM is made of, then by the largest difference."""
    sizes = profiles["effect_size"].abs().groupby(profiles["feature"]).max()
    sizes = sizes[sizes > 0].reset_index()
    sizes = sizes.sort_values(["effect_size", "feature"], ascending=[False, True])
    telling = sizes["feature"].tolist()
    used = [name for name in RFM_FEATURES if name in telling]
    others = _as_read(telling, profiles["feature"])
    return used, [name for name in others if name not in used]


def _as_read(features, known) -> list[str]:
    """The features, each shrunk share as the share itself where that is known."""
    known = set(known)
    plain = [
        name.removeprefix(SHRUNK) if name.removeprefix(SHRUNK) in known else name
        for name in features
    ]
    return list(dict.fromkeys(plain))


def _map(frames, numbered, labels) -> dict | None:
    points = _frame(frames, "map")
    if points is None:
        return None
    loadings = _frame(frames, "rpt_map_loadings")
    ranks = _feature_ranks(frames)
    points = numbered.of(points)
    has_orders = "orders" in set(frames["cells"].columns) and (
        frames["cells"]["orders"].notna().any()
    )
    found = {}
    for segmentation, rows in points.groupby("segmentation", sort=True):
        used, others = ranks.get(segmentation, ([], []))
        wanted = [*used, "recency_days", "frequency", "monetary", *others]
        hover = [
            name
            for name in dict.fromkeys(wanted)
            if name in rows and name in labels and rows[name].notna().any()
        ][:HOVER_FEATURES]
        entry = {
            "hover": [{"id": name, **labels[name]} for name in hover],
            "axes": _axes(loadings, segmentation, labels),
            "segment": rows["segment"].tolist(),
            "country": rows["country"].tolist(),
            "x": _numbers(rows["component_1"], 4),
            "y": _numbers(rows["component_2"], 4),
            "values": [_numbers(rows[name], 4) for name in hover],
        }
        # Two features are a picture of their own; of more, the two that matter most.
        own = [name for name in used if name in hover][:2]
        if len(own) == 2 and not has_orders:
            entry["own"] = [hover.index(name) for name in sorted(own)]
        found[segmentation] = entry
    return found or None


def _axes(loadings, segmentation, labels) -> list[dict]:
    """What each axis of the map is made of, the heaviest feature first."""
    if loadings is None:
        return []
    axes = []
    own = loadings[loadings["segmentation"] == segmentation]
    for _, rows in own.groupby("component", sort=True):
        size = rows["loading"].abs()
        rows = rows.assign(size=size).sort_values(
            ["size", "feature_level"], ascending=[False, True]
        )
        axes.append(
            {
                "share": _number(rows["explained_variance_share"].iloc[0]),
                "loadings": [
                    [
                        _label(row.feature, labels) + _after_equals(row.feature_level),
                        _number(row.loading, 4),
                    ]
                    for row in rows.itertuples()
                ],
            }
        )
    return axes


def _label(feature, labels) -> str:
    """The feature in business words."""
    (read,) = _as_read([feature], labels)
    return labels[read]["label"] if read in labels else _words(read)


def _risk(frames, numbered) -> dict | None:
    rows = _frame(frames, "risk")
    if rows is None:
        return None
    rows = numbered.of(rows)
    segments = {
        segmentation: own.set_index("point")["segment"]
        for segmentation, own in rows.groupby("segmentation", sort=True)
    }
    customers = rows.drop_duplicates("point").sort_values("point")
    return {
        "churn_probability": _numbers(customers["churn_probability"], 4),
        "value_if_retained": _numbers(customers["value_if_retained"], 5),
        "monetary": _numbers(customers["monetary"], 5),
        "is_high_value_at_risk": [
            int(bool(flag)) for flag in customers["is_high_value_at_risk"]
        ],
        "country": customers["country"].tolist(),
        "segment": {
            segmentation: [
                None if pd.isna(number) else int(number)
                for number in own.reindex(customers["point"])
            ]
            for segmentation, own in segments.items()
        },
    }


# ---- over time ---------------------------------------------------------------------


def _migration(frames, segment_numbers) -> dict | None:
    """Moves by month; nodes are the active segments, then who is gone or came new."""
    rows = _frame(frames, "rpt_segment_migration")
    if rows is None:
        return None
    found = {}
    for segmentation, own in rows.groupby("segmentation", sort=True):
        active = segment_numbers.get(segmentation)
        if not active:
            continue
        months = sorted(own["month_end_date"].unique())[-MONTHS:]
        own = own[own["month_end_date"].isin(months)]
        names = {ENTERED: "New this month"}
        for side in ("from", "to"):
            pairs = zip(
                own[f"{side}_segment_id"], own[f"{side}_segment_name"], strict=True
            )
            names |= {i: n for i, n in pairs if i not in active and i != ENTERED}
        nodes = active | {
            segment: len(active) + number for number, segment in enumerate(names)
        }
        own = own.assign(
            month=own["month_end_date"].map({m: n for n, m in enumerate(months)}),
            source=own["from_segment_id"].map(nodes),
            target=own["to_segment_id"].map(nodes),
        ).sort_values(["month", "source", "target", "cause"])
        found[segmentation] = {
            "months": months,
            "more_nodes": [str(name) for name in names.values()],
            **_columns(own, "month source target cause customer_count"),
        }
    return found or None


def _trends(frames, segment_numbers) -> dict | None:
    """Customers of each active segment at the end of each month."""
    rows = _frame(frames, "rpt_segment_trends")
    if rows is None:
        return None
    found = {}
    for segmentation, own in rows.groupby("segmentation", sort=True):
        months = sorted(own["month_end_date"].unique())[-MONTHS:]
        counts = own.set_index(["segment_id", "month_end_date"])["customer_count"]
        segments = segment_numbers.get(segmentation, {})
        if len(months) > 1 and segments:
            found[segmentation] = {
                "months": months,
                "customers": [
                    [int(counts.get((segment, month), 0)) for month in months]
                    for segment in segments
                ],
            }
    return found or None


def _cohorts(frames) -> dict | None:
    rows = _frame(frames, "rpt_cohort_retention")
    if rows is None:
        return None
    cohorts = sorted(rows["cohort_month"].unique())[-COHORTS:]
    rows = rows[
        rows["cohort_month"].isin(cohorts) & (rows["month_number"] <= COHORT_MONTHS)
    ].sort_values(["cohort_month", "month_number"])
    return _columns(
        rows,
        "cohort_month month_number customer_count active_customer_count "
        "retention_rate cumulative_revenue_per_customer is_complete",
    )


def _second_purchase(frames) -> list[dict] | None:
    rows = _frame(frames, "rpt_second_purchase")
    if rows is None:
        return None
    curves = []
    for (kind, name), own in rows.groupby(["group_kind", "group_name"], sort=True):
        own = own.sort_values("day")
        count = own["at_risk_count"].iloc[0]
        curve = {
            "kind": kind,
            "name": name,
            "status": own["status"].iloc[0],
            "customer_count": _plain(count),
            "median_days": _plain(own["median_days"].iloc[0]),
        }
        if curve["status"] == "ok":
            # Steps between two points that are left out are smaller than a pixel.
            step = max(1, math.ceil(len(own) / CURVE_POINTS))
            kept = own.iloc[sorted({*range(0, len(own), step), len(own) - 1})]
            curve |= _columns(kept, "day share_with_second_purchase lower upper")
        curves.append(curve)
    size = {"all": 0}
    curves.sort(
        key=lambda c: (
            size.get(c["kind"], 1), c["kind"], -(c["customer_count"] or 0), c["name"],
        )
    )  # fmt: skip
    kept, of_kind = [], {}
    for curve in curves:
        of_kind[curve["kind"]] = of_kind.get(curve["kind"], 0) + 1
        if of_kind[curve["kind"]] <= CURVES_OF_A_KIND:
            kept.append(curve)
    return kept if any(curve["status"] == "ok" for curve in kept) else None


# ---- evidence ----------------------------------------------------------------------


def _candidates(frames) -> dict | None:
    """Each number of clusters of the configured algorithm with its measures."""
    rows = _frame(frames, "rpt_segment_candidates")
    if rows is None:
        return None
    found = {}
    for segmentation, own in rows.groupby("segmentation", sort=True):
        sizes = own.groupby("algorithm").size()
        measured = own[
            (own["algorithm"] == sizes.idxmax()) & own["inertia"].notna()
        ].sort_values("cluster_count")
        if len(measured) < 2:
            continue
        found[segmentation] = _columns(
            measured,
            "cluster_count inertia silhouette stability stability_error structure "
            "is_usable is_chosen reason",
        )
    return found or None


def _value_validation(frames) -> dict | None:
    rows = _frame(frames, "rpt_value_validation")
    if rows is None:
        return None
    deciles = rows[
        (rows["model"] == "expected_value") & (rows["measure"] == "decile")
    ].sort_values("bin")
    deciles = deciles[deciles["actual"].notna() & deciles["predicted"].notna()]
    if deciles.empty:
        return None
    of_all = rows[(rows["bin"] == 0) & rows["verdict"].notna()]
    own = of_all[of_all["model"] == "expected_value"].set_index("measure")["verdict"]
    order = ["grade", "top_fifth_found", "total_ratio", "normalised_gini"]
    return {
        **_columns(deciles, "bin predicted actual customer_count"),
        "verdicts": [own[measure] for measure in order if measure in own],
    }


def _churn_validation(frames) -> dict | None:
    rows = _frame(frames, "rpt_churn_validation")
    if rows is None:
        return None
    chosen = rows[rows["is_chosen"].astype(bool)]
    bins = chosen[
        (chosen["measure"] == "calibration") & chosen["predicted"].notna()
    ].sort_values("bin")
    if bins.empty:
        return None
    of_all = rows[(rows["bin"] == 0) & (rows["measure"] == "auc")].sort_values(
        ["estimate", "model"], ascending=[False, True]
    )
    return {
        **_columns(bins, "bin predicted estimate lower upper customer_count"),
        "model": chosen["model"].iloc[0],
        "verdict": _plain(bins["verdict"].iloc[0]),
        "auc": [
            {
                "model": row.model,
                "estimate": _number(row.estimate),
                "lower": _number(row.lower),
                "upper": _number(row.upper),
                "is_chosen": bool(row.is_chosen),
            }
            for row in of_all.itertuples()
        ],
    }


def _quality(frames) -> dict | None:
    rows = _frame(frames, "rpt_data_quality")
    if rows is None:
        return None
    counts = rows.groupby(["source_table", "measure"])["row_count"].sum()
    tables = [
        {
            "table": table,
            "used": int(counts.get((table, "used"), 0)),
            "quarantined": int(counts.get((table, "quarantined"), 0)),
        }
        for table in sorted(rows["source_table"].unique())
        if counts.get((table, "used"), 0) or counts.get((table, "quarantined"), 0)
    ]
    reasons = rows[rows["measure"] == "quarantined"].sort_values(
        ["row_count", "source_table", "reason"], ascending=[False, True, True]
    )
    return {
        "tables": tables,
        "reasons": [
            {"table": r.source_table, "reason": r.reason, "rows": int(r.row_count)}
            for r in reasons.head(QUARANTINE_REASONS).itertuples()
        ],
    }


def _health(frames) -> list[dict] | None:
    rows = _frame(frames, "rpt_model_health")
    if rows is None:
        return None
    return [
        {name: _plain(getattr(row, name)) for name in rows.columns}
        for row in rows.sort_values("segmentation").itertuples()
    ]


def _horizon(frames) -> int | None:
    rows = _frame(frames, "rpt_purchase_models")
    if rows is None:
        return None
    known = rows["churn_horizon_days"].dropna()
    return int(known.iloc[0]) if len(known) else None


# ---- plain values ------------------------------------------------------------------


def _frame(frames, name) -> pd.DataFrame | None:
    """The frame, if it is there and has a row."""
    frame = frames.get(name)
    return None if frame is None or frame.empty else frame


def _columns(
    frame, names: str, significant: int | None = SIGNIFICANT
) -> dict[str, list]:
    """The named columns, each a list; numbers of so many digits."""
    return {
        name: (
            _numbers(frame[name], significant)
            if pd.api.types.is_numeric_dtype(frame[name])
            and not pd.api.types.is_bool_dtype(frame[name])
            else [_plain(value) for value in frame[name]]
        )
        for name in names.split()
    }


def _numbers(values, significant: int | None = SIGNIFICANT) -> list:
    return [_number(value, significant) for value in values]


def _number(value, significant: int | None = SIGNIFICANT):
    """A number of so many digits, whole ones as they are; None where it is missing."""
    if pd.isna(value) or math.isinf(value):
        return None
    value = float(value)
    if value.is_integer():
        return int(value)
    if significant is None:
        return round(value, 4)
    return float(f"{value:.{significant}g}")


def _plain(value):
    """A Python value for JSON."""
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    if pd.api.types.is_bool(value):
        return bool(value)
    return _number(value)


def _words(name: str) -> str:
    """A name of the configuration as people would write it."""
    text = str(name).replace("_", " ")
    return "RFM" if text == "rfm" else text[:1].upper() + text[1:]


def _level_label(row) -> str:
    return row["feature_label"] + ("" if pd.isna(row["level"]) else f": {row['level']}")


def _after_equals(feature_level: str) -> str:
    _, found, level = str(feature_level).partition("=")
    return f": {level}" if found else ""


def _colour(text) -> str:
    """A colour that is one, whatever the seed says."""
    is_colour = isinstance(text, str) and re.fullmatch("#[0-9a-fA-F]{6}", text)
    return text.lower() if is_colour else "#777777"
