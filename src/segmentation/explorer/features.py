"""What customers are like: means of segments, the map, value against risk."""

import pandas as pd

from segmentation.explorer.values import (
    columns_of,
    in_words,
    number,
    numbers,
    rows_of,
)

PROFILE_FEATURES = 8
HOVER_FEATURES = 5
# Features of rules that have no fit.
RFM_FEATURES = ("recency_days", "frequency", "monetary")
# A share that is drawn towards that of all, so that few orders make no extremes. The
# fit uses it; people read the share itself.
SHRUNK = "shrunk_"


def feature_labels(frames) -> dict[str, dict]:
    """Business words and unit of each feature."""
    profiles = rows_of(frames, "rpt_segment_profiles")
    if profiles is None:
        return {}
    return {
        row.feature: {"label": row.feature_label, "unit": row.unit}
        for row in profiles.drop_duplicates("feature").itertuples()
    }


def profiles(frames, numbered) -> dict | None:
    """Means of the features that tell most, by segment and by country."""
    of_all = rows_of(frames, "rpt_segment_profiles")
    if of_all is None:
        return None
    ranks = _feature_ranks(frames)
    means = rows_of(frames, "country_means")
    means = None if means is None else numbered.of(means)
    found = {}
    for segmentation, rows in of_all.groupby("segmentation", sort=True):
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
                    "mean_of_all": number(heads.loc[level, "mean_of_all"]),
                    "is_used": feature_of[level] in used,
                }
                for level in chosen
            ],
            **columns_of(
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
            entry["by_country"] = columns_of(own, "segment feature country mean_value")
        found[segmentation] = entry
    return found or None


def _feature_ranks(frames) -> dict[str, tuple[list[str], list[str]]]:
    """Features of each segmentation: those of the fit, then by what they tell apart."""
    features = rows_of(frames, "rpt_segmentation_features")
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


def customer_map(frames, numbered, labels) -> dict | None:
    """The sample of each segmentation's map, with what a hover tells."""
    points = rows_of(frames, "map")
    if points is None:
        return None
    loadings = rows_of(frames, "rpt_map_loadings")
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
            "x": numbers(rows["component_1"], 4),
            "y": numbers(rows["component_2"], 4),
            "values": [numbers(rows[name], 4) for name in hover],
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
                "share": number(rows["explained_variance_share"].iloc[0]),
                "loadings": [
                    [
                        _label(row.feature, labels) + _after_equals(row.feature_level),
                        number(row.loading, 4),
                    ]
                    for row in rows.itertuples()
                ],
            }
        )
    return axes


def _label(feature, labels) -> str:
    """The feature in business words."""
    (read,) = _as_read([feature], labels)
    return labels[read]["label"] if read in labels else in_words(read)


def risk(frames, numbered) -> dict | None:
    """A sample of customers by value and chance of churn."""
    rows = rows_of(frames, "risk")
    if rows is None:
        return None
    rows = numbered.of(rows)
    segments = {
        segmentation: own.set_index("point")["segment"]
        for segmentation, own in rows.groupby("segmentation", sort=True)
    }
    customers = rows.drop_duplicates("point").sort_values("point")
    return {
        "churn_probability": numbers(customers["churn_probability"], 4),
        "value_if_retained": numbers(customers["value_if_retained"], 5),
        "monetary": numbers(customers["monetary"], 5),
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


def _level_label(row) -> str:
    return row["feature_label"] + ("" if pd.isna(row["level"]) else f": {row['level']}")


def _after_equals(feature_level: str) -> str:
    _, found, level = str(feature_level).partition("=")
    return f": {level}" if found else ""
