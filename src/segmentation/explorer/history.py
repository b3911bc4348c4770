"""What happens over time: moves, sizes, cohorts, the second purchase."""

import math

from segmentation.explorer.values import (
    columns_of,
    plain,
    rows_of,
)

MONTHS = 24
COHORTS = 24
COHORT_MONTHS = 24
CURVE_POINTS = 150
CURVES_OF_A_KIND = 14
ENTERED = "none"  # where a customer of the migration came from who was nowhere


def migration(frames, segment_numbers) -> dict | None:
    """Moves by month; nodes are the active segments, then who is gone or came new."""
    rows = rows_of(frames, "rpt_segment_migration")
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
            **columns_of(own, "month source target cause customer_count"),
        }
    return found or None


def trends(frames, segment_numbers) -> dict | None:
    """Customers of each active segment at the end of each month."""
    rows = rows_of(frames, "rpt_segment_trends")
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


def cohorts(frames) -> dict | None:
    """Retention of the latest cohorts by month."""
    rows = rows_of(frames, "rpt_cohort_retention")
    if rows is None:
        return None
    latest = sorted(rows["cohort_month"].unique())[-COHORTS:]
    rows = rows[
        rows["cohort_month"].isin(latest) & (rows["month_number"] <= COHORT_MONTHS)
    ].sort_values(["cohort_month", "month_number"])
    return columns_of(
        rows,
        "cohort_month month_number customer_count active_customer_count "
        "retention_rate cumulative_revenue_per_customer is_complete",
    )


def second_purchase(frames) -> list[dict] | None:
    """The curves of the second purchase, thinned: all, then by country and channel."""
    rows = rows_of(frames, "rpt_second_purchase")
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
            "customer_count": plain(count),
            "median_days": plain(own["median_days"].iloc[0]),
        }
        if curve["status"] == "ok":
            # Steps between two points that are left out are smaller than a pixel.
            step = max(1, math.ceil(len(own) / CURVE_POINTS))
            kept = own.iloc[sorted({*range(0, len(own), step), len(own) - 1})]
            curve |= columns_of(kept, "day share_with_second_purchase lower upper")
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
