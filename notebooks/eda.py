# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first look at the customers
#
# Drawn from the published marts, nothing else: no database is opened. Every figure and
# every sentence is computed from the files when the notebook runs, so it reads the same
# way for each input. What an input has no data for is left out, with a sentence.
#
# `make notebook INPUT=<name>` runs it. The conclusions are at the end.

# %%
import json
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from segmentation.exploration import (
    complete_months,
    describe,
    lorenz_curve,
    missing_shares,
    seasonal_indices,
    strongest_correlations,
    top_share,
    yearly_growth,
)
from segmentation.report import safe

sns.set_theme(style="whitegrid", context="notebook", font_scale=0.85)
plt.rcParams |= {
    "figure.dpi": 72,
    "figure.constrained_layout.use": True,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar in a name is a dollar
}
pd.options.display.float_format = lambda value: (
    f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
)
BLUE, RED, GREY = "#4477aa", "#cc3311", "#bbbbbb"
THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")
WIDTH = 11  # inches, of every figure

# %%
exports = Path(os.environ.get("SEGMENTATION_EXPORTS", "../exports/demo"))
manifest = json.loads((exports / "manifest.json").read_text())


def has(mart):
    """Whether a mart was published, with rows."""
    return any(
        file["rows"] and file["name"].startswith((f"{mart}.parquet", f"{mart}-0"))
        for file in manifest["files"]
    )


def read(mart, columns=None):
    """Read a mart; money, which is decimal in the files, becomes a double."""
    table = pa.concat_tables(
        pq.read_table(exports / manifest["folder"] / file["name"], columns=columns)
        for file in manifest["files"]
        if file["name"].startswith((f"{mart}.parquet", f"{mart}-0"))
    )
    fields = []
    for field in table.schema:
        if pa.types.is_decimal(field.type):
            field = field.with_type(pa.float64())
        if pa.types.is_date(field.type):
            field = field.with_type(pa.timestamp("us"))
        fields.append(field)
    return table.cast(pa.schema(fields)).to_pandas()


def say(text):
    display(Markdown(text))


def percent(share):
    return f"{100 * share:.1f} %"


def is_varied(values):
    """Whether there are two values or more."""
    present = values.dropna().to_numpy()
    return len(present) > 0 and (present != present[0]).any()


def grid(count, columns=3, height=2.7):
    """Return a figure with so many axes; those beyond the count are not shown."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH * columns / 3, height * rows), squeeze=False
    )
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return figure, axes.flat


# %%
date = f" as of {manifest['as_of_date']}" if manifest["as_of_date"] else ""
conclusions = []
currency = f" {manifest['currency']}" if manifest.get("currency") else ""
customers = read("dim_customers")
segmentations = read("dim_segmentations")
segments = read("dim_segments").set_index("segment_id")
primary = segmentations.loc[segmentations["is_primary"], "segmentation"].item()
has_orders = has("fct_orders")
is_made_up = manifest["input"] == "demo"
say(
    f"**{safe(manifest['input'])}{date}**: {len(customers):,} customers."
    + (" The data are made up; no customer is real." if is_made_up else "")
)

# %% [markdown]
# ## What became of the raw rows
#
# A row is used, or it is in quarantine with a reason.

# %%
quality = read("rpt_data_quality")
counts = quality[quality["measure"].isin(["used", "quarantined"])]
totals = counts.pivot_table(
    index="source_table",
    columns="measure",
    values="row_count",
    aggfunc="sum",
    fill_value=0,
).reindex(columns=["used", "quarantined"], fill_value=0)
totals = totals[totals.sum(axis=1) > 0]
totals["quarantined_share"] = totals["quarantined"] / totals.sum(axis=1)
display(totals)
reasons = counts[(counts["measure"] == "quarantined") & (counts["row_count"] > 0)]
reasons = reasons.groupby("reason")["row_count"].sum().sort_values()
if len(reasons):
    figure, axis = plt.subplots(figsize=(WIDTH * 0.7, 0.6 + 0.28 * len(reasons)))
    bars = axis.barh(reasons.index.str.replace("_", " "), reasons, color=BLUE)
    axis.bar_label(bars, [f"{count:,}" for count in reasons], padding=3)
    axis.set(title="Rows in quarantine by reason", xlabel="rows")
    axis.margins(x=0.12)
    axis.grid(visible=False, axis="y")
    plt.show()
else:
    say("No row is in quarantine.")
row_count, set_aside = (
    totals[["used", "quarantined"]].sum().sum(),
    totals["quarantined"].sum(),
)
conclusions.append(
    f"Of {row_count:,} raw rows {set_aside:,} ({percent(set_aside / row_count)}) are "
    "in quarantine"
    + (
        f", most often as {reasons.index[-1].replace('_', ' ')}."
        if len(reasons)
        else "."
    )
)

# %% [markdown]
# ## Missing values
#
# Of what the input says of its customers. Figures that are computed have no gaps: where
# one is empty a status column beside it says why.

# %%
given = [
    "gender", "age", "country", "city", "acquisition_channel", "signed_up_date",
    "has_consent_email", "has_consent_sms", "has_consent_post", "has_consent_phone",
]  # fmt: skip
unknown = [name for name in given if customers[name].isna().all()]
if unknown:
    say(f"Not known of anybody: {', '.join(unknown).replace('_', ' ')}.")
shares = missing_shares(customers[[name for name in given if name not in unknown]])
attributes = pd.DataFrame(index=customers["customer_id"])
levels = pd.DataFrame(index=customers["customer_id"])
if has("fct_customer_attributes"):
    long = read("fct_customer_attributes")
    wide = {
        kind: long[long["kind"] == kind].pivot_table(
            index="customer_id", columns="attribute", values=value, aggfunc="first",
            dropna=False,
        )
        for kind, value in (("numeric", "number_value"), ("categorical", "text_value"))
    }  # fmt: skip
    attributes = wide["numeric"].reindex(customers["customer_id"])
    levels = wide["categorical"].reindex(customers["customer_id"])
    shares = pd.concat([shares, missing_shares(attributes.join(levels))])
    shares = shares.sort_values(ascending=False, kind="stable")
if len(shares):
    figure, axis = plt.subplots(figsize=(WIDTH * 0.7, 0.8 + 0.28 * len(shares)))
    bars = axis.barh(shares.index.str.replace("_", " ")[::-1], shares[::-1], color=BLUE)
    axis.bar_label(bars, [percent(share) for share in shares[::-1]], padding=3)
    axis.set(title=f"Missing, share of {len(customers):,} customers", xlim=(0, 1))
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(visible=False, axis="y")
    plt.show()
else:
    say("Nothing else is missing." if unknown else "Nothing is missing.")

# %% [markdown]
# ## Distributions and outliers
#
# Of customers with a purchase, where there are orders. Outliers are values beyond
# Tukey's fences, 1.5 interquartile ranges from the quartiles. Where most are gone on a
# logarithmic scale they were the long tail that money and counts usually have, no
# errors; that is why the models take logarithms of such features.

# %%
names = {
    "recency_days": "Days since last purchase",
    "tenure_days": "Days since first purchase",
    "frequency": "Orders",
    "monetary": "Spend",
    "average_order_amount": "Order value",
    "lifetime_value": "Lifetime value",
    "churn_probability": "Churn probability",
    "age": "Age",
}
labels = read("rpt_segmentation_features").drop_duplicates("feature")
labels = labels.set_index("feature")["feature_label"].to_dict() | names
buyers = customers[customers["frequency"] > 0] if has_orders else customers
who = "customers with a purchase" if has_orders else "customers"
columns = [name for name in names if buyers[name].notna().any()]
figures = buyers.set_index("customer_id")[columns].astype(float)
if has_orders:
    paid = buyers.set_index("customer_id")[["gross_amount", "discount_amount"]]
    figures["discount_share"] = paid["discount_amount"] / paid.sum(axis=1).where(
        paid.sum(axis=1) > 0
    )
    labels["discount_share"] = "Discount share"
figures = figures.join(attributes.astype(float))
figures = figures[[name for name in figures if is_varied(figures[name])]]
labels = {name: labels.get(name, name.replace("_", " ")) for name in figures}
facts = describe(figures)
display(facts.rename(labels))

# %%
figure, axes = grid(len(figures.columns), height=2.4)
for axis, name in zip(axes, figures, strict=False):
    values = figures[name].dropna()
    tail = facts.loc[name, "skewness"] > 2 and values.min() >= 0 and values.max() > 20
    if tail:
        values = np.log1p(values)
        ticks = [
            t
            for t in (0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6)
            if np.log1p(t) <= values.max()
        ]
        axis.set_xticks(np.log1p(ticks), [f"{tick:,.0f}" for tick in ticks])
    whole = (
        (figures[name].dropna() % 1 == 0).all() and values.nunique() <= 100 and not tail
    )
    sns.histplot(values, bins="auto" if len(values) < 1000 else 40, discrete=whole,
                 ax=axis, color=BLUE, edgecolor="white", linewidth=0.3)  # fmt: skip
    axis.axvline(values.median(), color=RED, linewidth=1.2)
    axis.set(title=labels[name], xlabel="logarithmic scale" if tail else "", ylabel="")
    axis.yaxis.set_major_formatter(THOUSANDS)
figure.suptitle("Distributions; the red line is the median", x=0.01, ha="left")
plt.show()

# %%
before, after = facts["outlier_share"], facts["outlier_share_of_log"]
order = before.sort_values().index
figure, axis = plt.subplots(figsize=(WIDTH * 0.75, 0.8 + 0.3 * len(order)))
places = np.arange(len(order))
axis.hlines(places, before[order], after[order], color=GREY, zorder=1)
axis.scatter(before[order], places, color=RED, label="as measured", zorder=2)
axis.scatter(after[order], places, color=BLUE, label="as logarithm", zorder=2)
axis.set_yticks(places, [labels[name] for name in order])
axis.set(title="Share of customers beyond Tukey's fences", xlim=(-0.005, None))
axis.xaxis.set_major_formatter(PercentFormatter(1))
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
plt.show()
worst = before.idxmax()
conclusions.append(
    f"{labels[worst]} has the most outliers: {percent(before[worst])} of {who} lie "
    "beyond Tukey's fences"
    + (
        f", {percent(after[worst])} on a logarithmic scale."
        if pd.notna(after[worst])
        else "."
    )
)

# %% [markdown]
# ### Few customers, much revenue?

# %%
if has_orders:
    spend = buyers["monetary"]
    fifth = top_share(spend)
    curve = lorenz_curve(spend)
    figure, axis = plt.subplots(figsize=(WIDTH * 0.5, 4))
    axis.plot(curve["customer_share"], curve["amount_share"], color=BLUE, linewidth=2)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="all alike")
    axis.scatter([0.2], [fifth], color=RED, zorder=3)
    axis.annotate(f"20 % bring {percent(fifth)}", (0.2, fifth), (0.26, fifth - 0.05))
    axis.set(
        title="Customers from the largest spend down",
        xlabel="share of customers", ylabel="share of spend",
    )  # fmt: skip
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(loc="lower right")
    plt.show()
    conclusions.append(
        f"The fifth of the customers who spent most brings {percent(fifth)} of "
        f"{spend.sum():,.0f}{currency} spent by {len(spend):,} customers with "
        "a purchase."
    )
else:
    say("This input has no orders, so there is no revenue to share.")

# %% [markdown]
# ### Categories

# %%
kinds = ["gender", "country", "acquisition_channel", "lifecycle_state"]
categories = customers.set_index("customer_id")[
    [name for name in kinds if customers[name].notna().any()]
]
if has_orders:
    categories = categories.assign(
        orders=read("fct_orders", ["customer_id", "channel"])
        .groupby("customer_id")["channel"]
        .agg(
            lambda channels: channels.mode().iloc[0] if channels.notna().any() else None
        )
    ).rename(columns={"orders": "most used channel"})
categories = categories.join(levels)
categories = categories[[name for name in categories if is_varied(categories[name])]]
if len(categories.columns):
    figure, axes = grid(len(categories.columns), height=2.8)
    for axis, name in zip(axes, categories, strict=False):
        top = categories[name].fillna("not known").value_counts()
        rest = top.iloc[8:].sum()
        top = top.iloc[:8]
        if rest:
            top["all others"] = rest
        bars = axis.barh(top.index[::-1], top[::-1], color=BLUE)
        axis.bar_label(
            bars, [f"{count:,}" for count in top[::-1]], padding=2, fontsize=8
        )
        axis.set(title=name.replace("_", " ").capitalize(), xlabel="customers")
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(THOUSANDS)
        axis.margins(x=0.18)
        axis.grid(visible=False, axis="y")
    plt.show()
else:
    say("This input has no categories.")

# %% [markdown]
# ## Correlations
#
# Spearman's rank correlation. Two figures that go together say much the same, and a
# segmentation of both counts it twice.

# %%
if len(figures.columns) > 1:
    correlations = figures.rename(columns=labels).corr(method="spearman")
    correlations = correlations.iloc[1:, :-1]
    size = min(WIDTH, 3 + 0.55 * len(correlations))
    figure, axis = plt.subplots(figsize=(size, size * 0.8))
    sns.heatmap(
        correlations, ax=axis, cmap="vlag", vmin=-1, vmax=1, square=True,
        annot=len(correlations) <= 12, fmt=".2f", annot_kws={"size": 8},
        mask=np.triu(np.ones_like(correlations, dtype=bool), k=1),
        cbar_kws={"shrink": 0.6}, linewidths=0.5,
    )  # fmt: skip
    axis.grid(visible=False)
    axis.tick_params(axis="x", rotation=90)
    axis.tick_params(axis="y", rotation=0)
    axis.set(title="Rank correlations", xlabel="", ylabel="")
    plt.show()
    # what is predicted follows from the others
    predicted = ["lifetime_value", "churn_probability"]
    pairs = strongest_correlations(figures.drop(columns=predicted, errors="ignore"))
    pairs = pairs.replace({"first": labels, "second": labels})
    display(pairs)
    first, second, correlation = pairs.iloc[0]
    conclusions.append(
        f"Of what is measured, {first} and {second} go together most: rank correlation "
        f"{correlation:.2f}."
    )

# %% [markdown]
# ## Trend and season

# %%
if has_orders:
    orders = read(
        "fct_orders", ["ordered_at", "order_date", "net_amount", "is_purchase"]
    )
    orders = orders[orders["is_purchase"]]
    last_day = pd.Timestamp(manifest["as_of_date"]) - pd.Timedelta(days=1)
    revenue = complete_months(orders.set_index("order_date")["net_amount"], last_day)
    number = complete_months(orders.set_index("order_date")["is_purchase"], last_day)
    months = revenue.index.to_timestamp()
    figure, axes = grid(2, columns=2, height=3)
    figure.set_size_inches(WIDTH, 3)
    for axis, series, title in zip(
        axes, (revenue, number), ("Revenue by month", "Orders by month"), strict=True
    ):
        axis.plot(months, series, color=BLUE, marker="o", markersize=3)
        if len(series) >= 24:
            axis.plot(
                months, series.rolling(12).mean(), color=RED, label="mean of 12 months"
            )
            axis.legend()
        axis.set(title=title, ylim=(0, None))
        axis.yaxis.set_major_formatter(THOUSANDS)
        axis.tick_params(axis="x", rotation=30)
        plt.setp(axis.get_xticklabels(), ha="right")
    plt.show()
    growth = yearly_growth(revenue)
    best = revenue.idxmax()
    said = (
        f"The best of {len(revenue)} whole months was {best.strftime('%B %Y')} with "
        f"{revenue.max():,.0f}{currency}"
    )
    said += (
        f"; the last twelve months brought {percent(abs(growth))} "
        f"{'more' if growth >= 0 else 'less'} than the twelve before."
        if pd.notna(growth)
        else "; there are not two years to compare."
    )
    conclusions.append(said)
else:
    say("This input has no orders, so it has no months.")

# %%
if has_orders:
    season = seasonal_indices(revenue)
    weekday = orders.groupby(orders["order_date"].dt.day_of_week)["net_amount"].sum()
    weekday = weekday.reindex(range(7), fill_value=0) / weekday.sum()
    hour = orders.groupby(orders["ordered_at"].dt.hour).size()
    has_hours = len(hour) > 1
    shown = [len(season) > 0, True, has_hours]
    figure, axes = grid(sum(shown), height=2.8)
    axes = iter(axes)
    if len(season):
        axis = next(axes)
        colours = [RED if value > 1 else BLUE for value in season["seasonal_index"]]
        axis.bar(season["month"], season["seasonal_index"] - 1, bottom=1, color=colours)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set(title="Month of the year against its year", xticks=range(1, 13))
        axis.grid(visible=False, axis="x")
        high = season.loc[season["seasonal_index"].idxmax()]
        years = int(season["year_count"].min())
        conclusions.append(
            f"The strongest month of the year is "
            f"{pd.Timestamp(2000, int(high['month']), 1).strftime('%B')}, "
            f"{percent(high['seasonal_index'] - 1)} above its year"
            + (", seen once: it may have been an event." if years < 2 else ".")
        )
    axis = next(axes)
    axis.bar(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], weekday, color=BLUE)
    axis.set(title="Revenue by weekday")
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.grid(visible=False, axis="x")
    if has_hours:
        axis = next(axes)
        axis.bar(hour.index, hour / hour.sum(), color=BLUE)
        axis.set(title="Orders by hour of the day", xticks=range(0, 24, 3))
        axis.yaxis.set_major_formatter(PercentFormatter(1))
        axis.grid(visible=False, axis="x")
    plt.show()
    if not len(season):
        say("A season cannot be told from a trend with less than 24 whole months.")

# %% [markdown]
# ## Coming back
#
# Left: of those who first bought in a month, the share who bought again so many months
# later. Right: how many buy a second time at all, by Kaplan and Meier, who let each
# customer count for as long as was observed.

# %%
if has("rpt_cohort_retention"):
    cohorts = read("rpt_cohort_retention")
    cohorts = cohorts[cohorts["is_complete"] & (cohorts["month_number"] > 0)]
    table = cohorts.pivot_table(
        index="cohort_month", columns="month_number", values="retention_rate"
    )
    second = read("rpt_second_purchase")
    second = second[second["group_kind"] == "all"].sort_values("day")
    height = max(3, 0.9 + 0.16 * len(table))
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, height), width_ratios=[3, 2])
    if len(table):
        sns.heatmap(
            table.set_axis(table.index.strftime("%Y-%m"), axis="index"),
            ax=axes[0], cmap="Blues", vmin=0, cbar_kws={"format": PercentFormatter(1)},
        )  # fmt: skip
    axes[0].set(title="Customers who bought", xlabel="months since the first purchase",
                ylabel="first purchase")  # fmt: skip
    axes[0].grid(visible=False)
    axes[1].step(
        second["day"], second["share_with_second_purchase"], where="post", color=BLUE
    )
    axes[1].fill_between(second["day"], second["lower"], second["upper"], step="post",
                         color=BLUE, alpha=0.2)  # fmt: skip
    axes[1].set(title="Bought a second time", xlabel="days since the first purchase",
                ylim=(0, 1))  # fmt: skip
    axes[1].yaxis.set_major_formatter(PercentFormatter(1))
    plt.show()
    median = second["median_days"].iloc[0] if len(second) else np.nan
    retention = read("rpt_retention")
    overall = retention[retention["group_kind"] == "all"].iloc[0]
    said = (
        f"{percent(overall['repeat_rate'])} of customers with a purchase bought on two "
        "days or more"
    )
    said += (
        f"; by Kaplan and Meier half have bought again after {median:.0f} days."
        if pd.notna(median)
        else "; half have not bought again within the data."
    )
    conclusions.append(said)
else:
    say("This input has no orders, so nobody comes back.")

# %% [markdown]
# ## RFM
#
# Recency, frequency and monetary value, each scored from 1 to 5. The segments that the
# scores make are among those below.

# %%
rfm = customers[customers["rfm_status"] == "scored"]
if len(rfm):
    cells = rfm.pivot_table(
        index="frequency_score", columns="recency_score", values="monetary",
        aggfunc=["size", "mean"],
    )  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
    for axis, part, title, colours in zip(
        axes,
        ("size", "mean"),
        ("Customers", "Mean spend"),
        ("Blues", "Greens"),
        strict=True,
    ):
        table = cells[part].reindex(index=range(5, 0, -1), columns=range(1, 6))
        text = table.map(lambda value: "" if pd.isna(value) else f"{value:,.0f}")
        sns.heatmap(table, ax=axis, annot=text, fmt="", cmap=colours, cbar=False,
                    annot_kws={"size": 9}, linewidths=0.5)  # fmt: skip
        axis.set(
            title=title, xlabel="recency score (5 is latest)", ylabel="frequency score"
        )
        axis.tick_params(axis="y", rotation=0)
        axis.grid(visible=False)
    plt.show()
else:
    reasons = customers["rfm_status"].dropna().unique()
    say(f"Nobody has RFM scores in this input: {', '.join(reasons).replace('_', ' ')}.")

# %% [markdown]
# ## The segments
#
# What each segmentation makes of the customers: how many there are, what they bring.

# %%
summary = read("rpt_segment_summary")
summary = summary[summary["customer_count"] > 0]
has_revenue = summary["revenue"].notna().any() and summary["revenue"].abs().sum() > 0
order = [primary, *sorted(set(summary["segmentation"]) - {primary, "rfm"})]
order += [name for name in ["rfm"] if name in set(summary["segmentation"])]
for segmentation in order:
    own = summary[summary["segmentation"] == segmentation].sort_values("customer_count")
    colours = own["segment_id"].map(segments["colour"])
    figure, axis = plt.subplots(figsize=(WIDTH * 0.8, 1 + 0.42 * len(own)))
    places = np.arange(len(own))
    height = 0.4 if has_revenue else 0.7
    bars = axis.barh(
        places + has_revenue * 0.2, own["customer_share"], height, color=colours
    )
    axis.bar_label(bars, [f"{n:,} customers" for n in own["customer_count"]], padding=3,
                   fontsize=8)  # fmt: skip
    if has_revenue:
        bars = axis.barh(
            places - 0.2, own["revenue_share"], height, color=colours, alpha=0.45
        )
        axis.bar_label(bars, [f"{s:.1%} of revenue" for s in own["revenue_share"]],
                       padding=3, fontsize=8)  # fmt: skip
    axis.set_yticks(places, own["segment_name"])
    axis.set(title=f"{segmentation}: share of customers" + (
        " (full) and of revenue (pale)" if has_revenue else ""))  # fmt: skip
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.margins(x=0.2)
    axis.grid(visible=False, axis="y")
    plt.show()

# %%
own = summary[summary["segmentation"] == primary]
largest = own.loc[own["customer_count"].idxmax()]
said = (
    f"The segmentation *{safe(primary)}* has {len(own)} segments with customers. The "
    f"largest is {safe(largest['segment_name'])}: {largest['customer_count']:,} "
    f"customers, {percent(largest['customer_share'])}."
)
if has_revenue:
    richest = own.loc[own["revenue"].idxmax()]
    said += (
        f" The most revenue comes from {safe(richest['segment_name'])}: "
        f"{percent(richest['revenue_share'])} from "
        f"{percent(richest['customer_share'])} of the customers."
    )
conclusions.append(said)

# %% [markdown]
# ### What sets them apart
#
# Cohen's *d*: the segment's mean less that of all others, in standard deviations. From
# 0.8 on a difference is called large. The rule is the shortest that describes the
# segment; *precision* is the share of those it names who are in the segment, *recall*
# the share of the segment that it names.

# %%
profiles = read("rpt_segment_profiles")
for segmentation in order:
    own = profiles[profiles["segmentation"] == segmentation]
    own = own[own["segment_id"].isin(summary["segment_id"])]
    named = own.assign(
        segment=own["segment_id"].map(segments["segment_name"]),
        label=own["feature_label"]
        + own["level"].map(
            lambda level: f": {level}" if isinstance(level, str) else ""
        ),
    )
    table = named.pivot_table(index="segment", columns="label", values="effect_size")
    strongest = table.abs().max().sort_values(ascending=False, kind="stable").index[:14]
    table = table[strongest]
    if table.empty:
        continue
    figure, axis = plt.subplots(figsize=(WIDTH, 1.9 + 0.34 * len(table)))
    sns.heatmap(
        table.round(1) + 0.0, ax=axis, cmap="vlag", center=0, vmin=-2, vmax=2,
        annot=True, fmt=".1f",
        annot_kws={"size": 8}, linewidths=0.5, cbar_kws={"label": "Cohen's d"},
    )  # fmt: skip
    axis.set(title=segmentation, xlabel="", ylabel="")
    axis.set_xticks(axis.get_xticks(), axis.get_xticklabels(), rotation=35, ha="right")
    axis.grid(visible=False)
    plt.show()

# %%
rules = segments[segments["rule_text"].notna() & (segments["status"] == "active")]
rules = rules[rules["rule_precision"].notna()].set_index("segment_name")
with pd.option_context("display.max_colwidth", None, "display.max_rows", None):
    display(
        rules[["segmentation", "rule_text", "rule_precision", "rule_recall", "action"]]
    )

# %% [markdown]
# ### Where they are
#
# A sample of customers on the first two principal components of the prepared features,
# or on the features themselves where there are just two.

# %%
if has("rpt_customer_map"):
    points = read("rpt_customer_map").sort_values(["segmentation", "customer_id"])
    loadings = read("rpt_map_loadings")
    maps = [name for name in order if name in set(points["segmentation"])]
    figure, axes = grid(len(maps), columns=2, height=4.6)
    figure.set_size_inches(WIDTH * min(len(maps), 2) / 2 + 1, 4.6 * -(-len(maps) // 2))
    for axis, segmentation in zip(axes, maps, strict=False):
        own = points[points["segmentation"] == segmentation]
        is_raw = own["value_1"].notna().any()
        across, up = (
            ("value_1", "value_2") if is_raw else ("component_1", "component_2")
        )
        for segment_id, dots in own.groupby("segment_id"):
            axis.scatter(
                dots[across], dots[up], s=9 if len(own) > 500 else 30,
                alpha=0.6, linewidths=0,
                color=segments.loc[segment_id, "colour"],
                label=segments.loc[segment_id, "segment_name"],
            )  # fmt: skip
        if is_raw:
            marks = own["feature_1"].iloc[0], own["feature_2"].iloc[0]
            axis.set(
                xlabel=labels.get(marks[0], marks[0]),
                ylabel=labels.get(marks[1], marks[1]),
            )
        else:
            parts = loadings[loadings["segmentation"] == segmentation].groupby(
                "component"
            )
            shares = parts["explained_variance_share"].first()
            axis.set(
                xlabel=f"component 1 ({shares.get(1, 0):.0%} of variance)",
                ylabel=f"component 2 ({shares.get(2, 0):.0%})",
            )
        axis.set(title=segmentation)
        axis.legend(fontsize=8, markerscale=2, loc="upper center", ncols=2,
                    bbox_to_anchor=(0.5, -0.14), frameon=False)  # fmt: skip
    plt.show()

# %% [markdown]
# ## Why these segments: the evidence
#
# For each number of clusters k that was tried: how tight the clusters are (inertia,
# whose bend is the elbow), how far apart (silhouette, 1 is best, 0 is none), and how
# alike they are when a part of the customers is left out (stability, 1 is the same
# clusters again; below 0.8 a k is not usable). The chosen k is marked.

# %%
candidates = read("rpt_segment_candidates")
for segmentation in [name for name in order if name != "rfm"]:
    facts_of = segmentations.set_index("segmentation").loc[segmentation]
    tried = candidates[
        (candidates["segmentation"] == segmentation)
        & (candidates["algorithm"] == facts_of["algorithm"])
        & (candidates["cluster_count"] > 0)
    ].sort_values("cluster_count")
    if tried["inertia"].notna().sum() > 1:
        chosen = tried[tried["is_chosen"]]
        figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.6))
        for axis, measure, title in zip(
            axes, ("inertia", "silhouette", "stability"),
            ("Inertia (the elbow)", "Silhouette", "Stability"), strict=True,
        ):  # fmt: skip
            error = tried["stability_error"] if measure == "stability" else None
            axis.errorbar(
                tried["cluster_count"], tried[measure], error, color=BLUE,
                marker="o", markersize=4, capsize=2,
            )  # fmt: skip
            axis.scatter(
                chosen["cluster_count"], chosen[measure], s=90, color=RED, zorder=3
            )
            whose = f"{segmentation}: " if measure == "inertia" else ""
            axis.set(title=f"{whose}{title}", xlabel="clusters")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].yaxis.set_major_formatter(THOUSANDS)
        axes[2].axhline(0.8, color=GREY, linestyle="--")
        plt.show()
    found = [f"**{safe(segmentation)}**: {safe(facts_of['reason'])}."]
    others = candidates[
        (candidates["segmentation"] == segmentation)
        & (candidates["algorithm"] != facts_of["algorithm"])
    ]
    found += [
        f"- {other.algorithm}, {other.cluster_count} clusters: {safe(other.reason)}."
        for other in others.sort_values("algorithm").itertuples()
    ]
    say("\n".join(found))
    structure = {
        "separated": "groups that stand apart",
        "continuous": "slices of a continuum: useful, but neighbours differ little",
        "unstable": "unstable: other customers would give other segments",
    }.get(facts_of["structure"])
    if structure:
        conclusions.append(
            f"The segments of *{safe(segmentation)}* are {structure} (stability "
            f"{facts_of['stability']:.2f}, silhouette {facts_of['silhouette']:.2f})."
        )
    else:
        conclusions.append(f"*{safe(segmentation)}*: {safe(facts_of['reason'])}.")

# %% [markdown]
# What each feature contributes to a segmentation. One that is most of it would do
# alone.

# %%
used = read("rpt_segmentation_features")
used = used[used["status"] == "used"]
parts = [name for name in order if name in set(used["segmentation"])]
if parts:
    figure, axes = grid(len(parts), columns=2, height=2.2)
    figure.set_size_inches(WIDTH * min(len(parts), 2) / 2, 2.4 * -(-len(parts) // 2))
    for axis, segmentation in zip(axes, parts, strict=False):
        own = used[used["segmentation"] == segmentation].sort_values("contribution")
        bars = axis.barh(own["feature_label"], own["contribution"], color=BLUE)
        axis.bar_label(
            bars, [f"{share:.0%}" for share in own["contribution"]], padding=3
        )
        axis.set(title=segmentation)
        axis.xaxis.set_major_formatter(PercentFormatter(1))
        axis.margins(x=0.15)
        axis.grid(visible=False, axis="y")
    plt.show()

# %% [markdown]
# ## How segments grow and shrink

# %%
if has("rpt_segment_trends"):
    trends = read("rpt_segment_trends")
    own = trends[trends["segmentation"] == primary]
    table = own.pivot_table(
        index="month_end_date", columns="segment_id", values="customer_count"
    )
    table = table.loc[:, table.max() > 0].fillna(0)
    figure, axis = plt.subplots(figsize=(WIDTH * 0.8, 3.4))
    for segment_id in table:
        axis.plot(table.index, table[segment_id], marker="o", markersize=3,
                  color=segments.loc[segment_id, "colour"],
                  label=segments.loc[segment_id, "segment_name"])  # fmt: skip
    axis.set(title=f"{primary}: customers at month ends", ylim=(0, None))
    axis.yaxis.set_major_formatter(THOUSANDS)
    axis.tick_params(axis="x", rotation=30)
    plt.setp(axis.get_xticklabels(), ha="right")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    plt.show()
    moves = read("rpt_segment_migration")
    moves = moves[
        (moves["segmentation"] == primary) & (moves["from_segment_id"] != "none")
    ]
    if len(moves):
        last = moves[moves["month_end_date"] == moves["month_end_date"].max()]
        moved = last[last["cause"] != "stayed"]
        by_cause = moved.groupby("cause")["customer_count"].sum()
        conclusions.append(
            f"In the last month ({moves['month_end_date'].max():%B %Y}) "
            f"{moved['customer_count'].sum():,} of {last['customer_count'].sum():,} "
            f"customers changed segment, {by_cause.get('ageing', 0):,} of them by "
            "nothing but time."
        )
else:
    say("This input has no dates, so its segments have no history.")

# %% [markdown]
# ## Can the predictions be believed?
#
# Both models were judged on the last churn horizon from what was known before it. Left:
# customers in tenths of the predicted churn probability, and how many of each bought
# nothing. Right: customers in tenths of predicted spend, and what they spent.

# %%
if has("rpt_churn_validation") and has("rpt_value_validation"):
    churn = read("rpt_churn_validation")
    value = read("rpt_value_validation")
    bins = churn[churn["is_chosen"] & (churn["measure"] == "calibration")]
    tenths = value[
        (value["model"] == "expected_value") & (value["measure"] == "decile")
    ]
    tenths = tenths.sort_values("bin")
    if len(bins) or len(tenths):
        figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
        axes[0].plot([0, 1], [0, 1], color=GREY, linestyle="--")
        axes[0].errorbar(
            bins["predicted"], bins["estimate"],
            [bins["estimate"] - bins["lower"], bins["upper"] - bins["estimate"]],
            color=BLUE, marker="o", linestyle="none", capsize=2,
        )  # fmt: skip
        axes[0].set(title="Churn", xlabel="predicted", ylabel="happened",
                    xlim=(0, 1), ylim=(0, 1))  # fmt: skip
        axes[1].bar(
            tenths["bin"] - 0.2, tenths["predicted"], 0.4, label="predicted", color=GREY
        )
        axes[1].bar(
            tenths["bin"] + 0.2, tenths["actual"], 0.4, label="spent", color=BLUE
        )
        axes[1].set(
            title="Spend per customer",
            xlabel="tenth by prediction",
            xticks=range(1, 11),
        )
        axes[1].yaxis.set_major_formatter(THOUSANDS)
        axes[1].legend()
        axes[1].grid(visible=False, axis="x")
        plt.show()
    chosen = churn[churn["is_chosen"] & (churn["measure"] == "auc")]
    for verdict in chosen["verdict"].dropna():
        conclusions.append(f"Churn, by {chosen['model'].iloc[0]}: {safe(verdict)}.")
    for verdict in value.loc[value["measure"] == "grade", "verdict"].dropna():
        conclusions.append(f"Lifetime value, grade {safe(verdict)}.")
else:
    say("This input has no orders, so nothing is predicted.")

# %% [markdown]
# ## What to do first
#
# Each customer is in one of these groups. Worth is value at stake times uplift, less
# the cost of contacts; an uplift is an assumption until a campaign has measured it.

# %%
actions = read("rpt_recommendations")
actions = actions[
    (actions["segmentation"] == "next_action") & actions["is_best_action"]
]
actions = actions[actions["net_worth"] > 0].sort_values("worth_rank")
if len(actions):
    told = ["action", "customer_count", "reachable_customer_count", "net_worth"]
    told += ["uplift", "uplift_status"]
    display(actions.set_index("segment_name")[told])
    first = actions.iloc[0]
    conclusions.append(
        f"What promises most: {safe(first['action'])} for "
        f"{safe(first['segment_name'])}, worth {first['net_worth']:,.0f}{currency} "
        f"after cost if the {first['uplift_status']} uplift of "
        f"{percent(first['uplift'])} holds."
    )
else:
    say("No action has a worth in money here: no value at stake is known.")

# %% [markdown]
# ## Conclusions

# %% tags=["conclusions"]
say("\n".join(f"{number}. {text}" for number, text in enumerate(conclusions, start=1)))
