"""How sure the figures are: candidates, validations, data quality, model health."""

from segmentation.explorer.values import (
    columns_of,
    number,
    plain,
    rows_of,
)

QUARANTINE_REASONS = 12


def candidates(frames) -> dict | None:
    """Each number of clusters of the configured algorithm with its measures."""
    rows = rows_of(frames, "rpt_segment_candidates")
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
        found[segmentation] = columns_of(
            measured,
            "cluster_count inertia silhouette stability stability_error structure "
            "is_usable is_chosen reason",
        )
    return found or None


def value_validation(frames) -> dict | None:
    """Expected and actual spend by tenth of the expectation, with the verdicts."""
    rows = rows_of(frames, "rpt_value_validation")
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
        **columns_of(deciles, "bin predicted actual customer_count"),
        "verdicts": [own[measure] for measure in order if measure in own],
    }


def churn_validation(frames) -> dict | None:
    """Expected and actual churn by tenth, and how well each model ranks."""
    rows = rows_of(frames, "rpt_churn_validation")
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
        **columns_of(bins, "bin predicted estimate lower upper customer_count"),
        "model": chosen["model"].iloc[0],
        "verdict": plain(bins["verdict"].iloc[0]),
        "auc": [
            {
                "model": row.model,
                "estimate": number(row.estimate),
                "lower": number(row.lower),
                "upper": number(row.upper),
                "is_chosen": bool(row.is_chosen),
            }
            for row in of_all.itertuples()
        ],
    }


def quality(frames) -> dict | None:
    """Rows used and put aside by table, with the most frequent reasons."""
    rows = rows_of(frames, "rpt_data_quality")
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


def health(frames) -> list[dict] | None:
    """Each model with its status and what to do."""
    rows = rows_of(frames, "rpt_model_health")
    if rows is None:
        return None
    return [
        {name: plain(getattr(row, name)) for name in rows.columns}
        for row in rows.sort_values("segmentation").itertuples()
    ]


def horizon_days(frames) -> int | None:
    """Days without a purchase that count as churn."""
    rows = rows_of(frames, "rpt_purchase_models")
    if rows is None:
        return None
    known = rows["churn_horizon_days"].dropna()
    return int(known.iloc[0]) if len(known) else None
