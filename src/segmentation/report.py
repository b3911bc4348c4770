"""The report of a published build: what changed since the one before, in sentences."""

import pandas as pd

# What the report reads of a published set; any of them may be absent.
REPORT_TABLES = {
    "dim_segments": ["segmentation", "segment_id", "segment_name", "status"],
    "dim_segmentations": None,
    "fct_customer_segments": ["customer_id", "segmentation", "segment_id"],
    "rpt_segment_summary": None,
    "rpt_segment_migration": None,
    "rpt_history": None,
    "rpt_model_health": None,
    "rpt_data_quality": None,
    "rpt_recommendations": None,
}
LONGEST_LIST = 5


def write_report(
    tables: dict[str, pd.DataFrame],
    previous: dict[str, pd.DataFrame] | None,
    *,
    input_name: str,
    currency: str,
    as_of_date: str | None,
    previous_date: str | None,
    charts: dict[str, str] | None = None,
) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    tables, previous
        Published tables by name, as in ``REPORT_TABLES``, of this build and of the
        one before; previous is None for the first one.
    input_name, currency
        For the headline and the amounts.
    as_of_date, previous_date
        ISO dates that the two are as of; None for an input without a clock.
    charts
        Pictures to show: paths from the report by title.

    Notes
    -----
    It compares two published sets, and so depends on the history of publishing: it is
    no part of the set that equal inputs reproduce. Names from the data are escaped.

    """
    date = f" as of {as_of_date}" if as_of_date else ""
    if previous is None:
        before = "This is the first published build; there is nothing to compare with."
    elif previous_date and previous_date != as_of_date:
        before = f"Compared with what was published as of {previous_date}."
    else:
        before = "Compared with what was published before."
    parts = [
        f"# Customer segments of {safe(input_name)}{date}",
        before,
        *_segments(tables, previous, currency),
        *_movement(tables, previous),
        *_recommendations(tables, currency),
        *_health(tables),
        *_quality(tables, previous, currency),
        *_pictures(charts),
    ]
    return "\n\n".join(parts) + "\n"


def _segments(tables, previous, currency) -> list[str]:
    summary = tables.get("rpt_segment_summary")
    if summary is None or summary.empty:
        return []
    primary = _primary(tables, summary)
    now = summary[summary["segmentation"] == primary]
    customers, revenue = now["customer_count"].sum(), _total(now, "revenue")
    before = _table(previous, "rpt_segment_summary")
    if before is not None:
        before = before[before["segmentation"] == primary]
        if before.empty:
            before = None
    sentence = f"{customers:,} customers"
    if before is not None:
        sentence += f" ({_change(customers, before['customer_count'].sum())})"
    if revenue is not None:
        sentence += f" with {revenue:,.0f} {currency} net revenue"
        earlier = None if before is None else _total(before, "revenue")
        if earlier is not None:
            sentence += f" ({_change(round(revenue), round(earlier))})"
    lines = [
        "| segment | customers | share | change | revenue |",
        "|---|---|---|---|---|",
    ]
    known = {} if before is None else before.set_index("segment_id")["customer_count"]
    order = now.sort_values(["customer_count", "segment_id"], ascending=[False, True])
    for row in order.itertuples():
        change = (
            ""
            if before is None
            else _change(row.customer_count, known.get(row.segment_id, 0))
        )
        amount = "" if pd.isna(row.revenue) else f"{float(row.revenue):,.0f} {currency}"
        lines.append(
            f"| {safe(row.segment_name)} | {row.customer_count:,} | "
            f"{_share(row.customer_share)} | {change} | {amount} |"
        )
    return [
        f"## Segments ({safe(primary)})",
        sentence + ".",
        "\n".join(lines),
        *_new_and_retired(tables, previous),
    ]


def _new_and_retired(tables, previous) -> list[str]:
    now, before = tables.get("dim_segments"), _table(previous, "dim_segments")
    if now is None or before is None:
        return []
    active = now[now["status"] == "active"].set_index("segment_id")["segment_name"]
    earlier = before[before["status"] == "active"].set_index("segment_id")
    new = active[~active.index.isin(before["segment_id"])]
    gone = earlier["segment_name"][~earlier.index.isin(active.index)]
    said = []
    if len(new):
        said.append(f"New segments: {_names(new)}.")
    if len(gone):
        said.append(f"Retired segments: {_names(gone)}.")
    renamed = active.index.intersection(earlier.index)
    renamed = [n for n in renamed if active[n] != earlier["segment_name"][n]]
    said += [
        f"{safe(earlier['segment_name'][n])} is called {safe(active[n])} now."
        for n in sorted(renamed)
    ]
    return said


def _movement(tables, previous) -> list[str]:
    said = []
    moved = _moved_since(tables, previous)
    if moved is not None:
        said.append(moved)
    migration = tables.get("rpt_segment_migration")
    if migration is not None and not migration.empty:
        primary = _primary(tables, tables["rpt_segment_summary"])
        month = migration["month_end_date"].max()
        rows = migration[
            (migration["segmentation"] == primary)
            & (migration["month_end_date"] == month)
        ]
        was = rows[rows["from_segment_id"] != "none"]
        moves = was[was["cause"] != "stayed"]
        total, count = was["customer_count"].sum(), moves["customer_count"].sum()
        if total:
            causes = moves.groupby("cause")["customer_count"].sum()
            words = {
                "purchase": "after a purchase",
                "return": "after a return",
                "ageing": "by nothing but time",
                "model": "by the new model alone",
            }
            reasons = ", ".join(
                f"{causes[cause]:,} {text}"
                for cause, text in words.items()
                if cause in causes
            )
            text = (
                f"In the month to {_date(month)}, {count:,} of {total:,} customers "
                f"({_share(count / total)}) changed segment"
            )
            said.append(f"{text}: {reasons}." if reasons else f"{text}.")
            flows = (
                moves.groupby(["from_segment_name", "to_segment_name"])[
                    "customer_count"
                ]
                .sum()
                .reset_index()
                .sort_values(
                    ["customer_count", "from_segment_name", "to_segment_name"],
                    ascending=[False, True, True],
                )
                .head(LONGEST_LIST)
            )
            said.append(
                "\n".join(
                    f"- {row.customer_count:,} from {safe(row.from_segment_name)} to "
                    f"{safe(row.to_segment_name)}"
                    for row in flows.itertuples()
                )
            )
    return ["## Movement", *filter(None, said)] if said else []


def _moved_since(tables, previous) -> str | None:
    now, before = (
        tables.get("fct_customer_segments"), _table(previous, "fct_customer_segments"),
    )  # fmt: skip
    if now is None or before is None:
        return None
    primary = _primary(tables, tables["rpt_segment_summary"])
    now, before = (
        frame[frame["segmentation"] == primary].set_index("customer_id")["segment_id"]
        for frame in (now, before)
    )
    both = now.index.intersection(before.index)
    if both.empty:
        return None
    moved = int((now[both] != before[both]).sum())
    return (
        f"{moved:,} of {len(both):,} customers ({_share(moved / len(both))}) are in "
        f"another segment than in the build before; {len(now) - len(both):,} came new."
    )


def _recommendations(tables, currency) -> list[str]:
    rows = tables.get("rpt_recommendations")
    if rows is None or rows.empty:
        return []
    best = rows[(rows["segmentation"] == "next_action") & rows["is_best_action"]]
    worth = best[best["net_worth"].notna()]
    worth = worth[worth["net_worth"].astype(float) > 0].copy()
    worth["net_worth"] = worth["net_worth"].astype(float)
    top = worth.sort_values(["net_worth", "segment_id"], ascending=[False, True])
    said = []
    for row in top.head(LONGEST_LIST).itertuples():
        known = not pd.isna(row.reachable_customer_count)
        people = (
            f"{row.reachable_customer_count:,} reachable customers"
            if known
            else f"{row.customer_count:,} customers (who may be contacted is not known)"
        )
        how = "measured" if row.uplift_status == "measured" else "assumed"
        said.append(
            f"1. **{safe(row.action)}** for {safe(row.segment_name)}: {people}, "
            f"worth {row.net_worth:,.0f} {currency} after cost, "
            f"if {_share(row.uplift)} of what is at stake is won ({how})."
        )
    if not said:
        said = [
            f"1. **{safe(row.action)}** for {safe(row.segment_name)}: "
            f"{row.customer_count:,} customers."
            for row in best.sort_values(
                ["customer_count", "segment_id"], ascending=[False, True]
            )
            .head(LONGEST_LIST)
            .itertuples()
        ]
    return ["## What to do first", "\n".join(said)] if said else []


def _health(tables) -> list[str]:
    rows = tables.get("rpt_model_health")
    if rows is None or rows.empty:
        return []
    said = []
    for row in rows.sort_values("segmentation").itertuples():
        version = "" if pd.isna(row.model_version) else f" version {row.model_version}"
        reason = str(row.status_reason).replace("_", " ")
        text = f"- {safe(row.segmentation)}{version}: {_sentence(reason)}"
        if row.status != "healthy" and not pd.isna(row.what_to_do):
            text += f" {_sentence(row.what_to_do)}"
        if row.is_refit and not pd.isna(row.changed_by_model_share):
            changed = _share(row.changed_by_model_share)
            text += f" The refit alone put {changed} of customers elsewhere"
            by_themselves = row.changed_by_behaviour_share
            if not pd.isna(by_themselves):
                text += f"; {_share(by_themselves)} moved by themselves in a month"
            text += "."
        said.append(text)
    return ["## Models", "\n".join(said)]


def _quality(tables, previous, currency) -> list[str]:
    said = []
    rows = tables.get("rpt_data_quality")
    if rows is not None and not rows.empty:
        counts = rows.groupby("measure")["row_count"].sum()
        quarantined = counts.get("quarantined", 0)
        text = (
            f"{counts.get('used', 0):,} rows were used and {quarantined:,} are in "
            "quarantine"
        )
        before = _table(previous, "rpt_data_quality")
        if before is not None:
            earlier = before[before["measure"] == "quarantined"]["row_count"].sum()
            text += f" ({_change(quarantined, earlier)} since the build before)"
        said.append(text + ".")
        reasons = (
            rows[rows["measure"] == "quarantined"]
            .sort_values(
                ["row_count", "source_table", "reason"], ascending=[False, True, True]
            )
            .head(LONGEST_LIST)
        )
        said.append(
            "\n".join(
                f"- {row.row_count:,} rows of {row.source_table}: "
                f"{row.reason.replace('_', ' ')}"
                for row in reasons.itertuples()
            )
        )
    history = tables.get("rpt_history")
    if history is not None and not history.empty:
        late = history[history["late_purchase_count"] != 0]
        if len(late):
            amount = late["late_revenue"].astype(float).sum()
            said.append(
                f"{late['late_purchase_count'].sum():+,} purchases ({amount:+,.0f} "
                f"{currency}) came for months that were closed already; those months "
                "stay as they were."
            )
    return ["## Data", *filter(None, said)] if said else []


def _pictures(charts) -> list[str]:
    if not charts:
        return []
    return [
        "## Pictures",
        "More of this, to filter and to point at: [explorer.html](explorer.html).",
        *(f"![{title}]({path})" for title, path in charts.items()),
    ]


def _primary(tables, summary) -> str:
    """Return the segmentation of next actions' first choice: the first configured."""
    names = tables.get("dim_segmentations")
    if names is not None and "is_primary" in names and names["is_primary"].any():
        return names.loc[names["is_primary"].astype(bool), "segmentation"].iloc[0]
    return sorted(set(summary["segmentation"]) - {"rfm"} or {"rfm"})[0]


def _table(previous, name) -> pd.DataFrame | None:
    found = None if previous is None else previous.get(name)
    return None if found is None or found.empty else found


def _total(rows, column) -> float | None:
    values = rows[column].dropna()
    return float(values.astype(float).sum()) if len(values) else None


def _names(names) -> str:
    return ", ".join(safe(name) for _, name in sorted(names.items()))


def _change(now, before) -> str:
    return "±0" if now == before else f"{int(now) - int(before):+,}"


def _share(share) -> str:
    return "" if pd.isna(share) else f"{100 * float(share):.1f} %"


def _date(value) -> str:
    return str(pd.Timestamp(value).date())


def _sentence(text) -> str:
    text = safe(text).strip()
    return text[:1].upper() + text[1:].rstrip(".") + "."


def safe(text) -> str:
    """Return a text from the data as one that Markdown and HTML take for text."""
    one_line = " ".join(str(text).split())
    marked = "".join(f"\\{c}" if c in r"\`*_[]|#<>$" else c for c in one_line)
    return marked.replace("&", "&amp;")
