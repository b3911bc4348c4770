"""The main charts as pictures, for the report, the README and slides.

Drawn from the payload of the page, on the primary segmentation, with a fixed style:
equal figures give equal bytes.
"""

from pathlib import Path
from textwrap import fill

import numpy as np

CHARTS = "charts"
INK, MUTED, GRID, NEUTRAL, ACCENT, STRONG = (
    "#1b2330", "#546174", "#e2e6ec", "#a8b1bf", "#3b76b8", "#c2410c",
)  # fmt: skip
DIVERGING = ("#2f78bd", "#f1f2f4", "#d9730d")
SEQUENTIAL = ("#eef4fb", "#6aa5dc", "#0b3c73")
MARKERS = "osD^XP*v"
HIGHEST_EFFECT = 2
DPI = 130
# Names from the data are text: "$" is no formula.
STYLE = {
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}


def draw_charts(payload: dict, folder: Path) -> None:
    """Draw each chart that the payload has data for, and remove those it has not.

    Parameters
    ----------
    payload
        What ``make_payload`` returns.
    folder
        Where the PNG files go; it is made if it is not there.

    """
    # Half a second that only this needs.
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, draw) in PICTURES.items():
        path = folder / f"{name}.png"
        with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
            figure = Figure(layout="constrained")
            figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
            FigureCanvasAgg(figure)
            if not (payload["segmentations"] and draw(payload, figure)):
                path.unlink(missing_ok=True)
                continue
            figure.savefig(path, dpi=DPI, metadata={"Software": None})


def charts_of(exports: Path) -> dict[str, str]:
    """Return the pictures that are there: paths from the exports folder by title."""
    paths = {title: f"{CHARTS}/{name}.png" for name, (title, _) in PICTURES.items()}
    return {title: path for title, path in paths.items() if (exports / path).is_file()}


def _shares(payload, figure) -> bool:
    segments, counts, revenue = _sums(payload)
    if not sum(counts):
        return False
    figure.set_size_inches(7.6, 1.1 + 0.58 * len(segments))
    axes = figure.subplots()
    places = np.arange(len(segments))
    colours = [segment["colour"] for segment in segments]
    customers = [count / sum(counts) for count in counts]
    if revenue is None:
        _bars(axes, places, customers, colours, "of customers", 0.6)
        title = "Share of customers"
    else:
        total = sum(revenue)
        shares = [value / total if total else 0 for value in revenue]
        _bars(axes, places - 0.2, customers, NEUTRAL, "of customers", 0.36)
        _bars(axes, places + 0.2, shares, colours, "of revenue", 0.36)
        title = "Share of customers and of revenue"
    axes.set_yticks(places, [_wrap(s["name"], 24) for s in segments], color=INK)
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.margins(x=0.28)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _title(figure, title)
    return True


def _bars(axes, places, shares, colours, what, height) -> None:
    axes.barh(places, np.maximum(shares, 0), height, color=colours)
    for place, share in zip(places, shares, strict=True):
        axes.annotate(
            f"{share:.1%} {what}",
            (max(share, 0), place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )


def _profiles(payload, figure) -> bool:
    from matplotlib.colors import LinearSegmentedColormap

    primary = payload["segmentations"][0]
    profile = payload.get("profiles", {}).get(primary["id"])
    if not profile:
        return False
    rows = sorted(set(profile["segment"]))
    features = profile["features"]
    effects = np.zeros((len(rows), len(features)))
    texts = [["" for _ in features] for _ in rows]
    for segment, feature, value, effect in zip(
        profile["segment"], profile["feature"], profile["mean_value"],
        profile["effect_size"], strict=True,
    ):  # fmt: skip
        row = rows.index(segment)
        effects[row, feature] = np.clip(effect or 0, -HIGHEST_EFFECT, HIGHEST_EFFECT)
        texts[row][feature] = _in_unit(value, features[feature]["unit"], payload)
    figure.set_size_inches(2.4 + 0.95 * len(features), 1.5 + 0.5 * len(rows))
    axes = figure.subplots()
    colours = LinearSegmentedColormap.from_list("effect", DIVERGING)
    axes.pcolormesh(
        effects,
        cmap=colours,
        vmin=-HIGHEST_EFFECT,
        vmax=HIGHEST_EFFECT,
        edgecolors="white",
        linewidth=2,
    )
    for (row, column), effect in np.ndenumerate(effects):
        red, green, blue, _ = colours((effect + HIGHEST_EFFECT) / 2 / HIGHEST_EFFECT)
        is_light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.5
        axes.text(
            column + 0.5,
            row + 0.5,
            texts[row][column],
            ha="center",
            va="center",
            fontsize=9,
            color=INK if is_light else "white",
        )
    axes.set_xticks(
        np.arange(len(features)) + 0.5,
        [_wrap(feature["label"], 11) for feature in features],
        color=INK,
        fontsize=9,
    )
    axes.xaxis.tick_top()
    axes.set_yticks(
        np.arange(len(rows)) + 0.5,
        [_wrap(primary["segments"][segment]["name"], 24) for segment in rows],
        color=INK,
    )
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    _title(figure, "Means of each segment: blue is below the average, orange above")
    return True


def _map(payload, figure) -> bool:
    """The customers by principal components, or by two features of their own."""
    primary = payload["segmentations"][0]
    points = payload.get("map", {}).get(primary["id"])
    if not points:
        return False
    figure.set_size_inches(7.6, 5.4)
    axes = figure.subplots()
    if "own" in points:
        labels = [points["hover"][number]["label"] for number in points["own"]]
        x, y = (np.array(points["values"][n], dtype=float) for n in points["own"])
        for values, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
            if np.nanmin(values) >= 0 and np.nanmax(values) > 20 * np.nanmedian(values):
                scale("symlog", linthresh=1)
        for scale in (axes.xaxis, axes.yaxis):
            scale.set_major_formatter(lambda value, _: f"{value:,.0f}")
        title = " and ".join([labels[0], labels[1][:1].lower() + labels[1][1:]])
    else:
        x, y = (np.array(points[name], dtype=float) for name in ("x", "y"))
        labels = [_direction(axis) for axis in points["axes"]] or ["", ""]
        title = "Customer map: who is close together is alike"
    segment = np.array(points["segment"])
    for number, entry in enumerate(primary["segments"]):
        if not (segment == number).any():
            continue
        axes.scatter(
            x[segment == number],
            y[segment == number],
            s=11,
            marker=MARKERS[number % len(MARKERS)],
            color=entry["colour"],
            alpha=0.75,
            linewidth=0,
            label=entry["name"],
        )
    axes.grid()
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    figure.legend(loc="outside lower center", ncols=3, fontsize=9, markerscale=1.8)
    _title(figure, title)
    return True


def _evidence(payload, figure) -> bool:
    primary = payload["segmentations"][0]
    data = payload.get("candidates", {}).get(primary["id"])
    if not data:
        return False
    measures = [
        ("inertia", "Spread within segments\n(inertia)"),
        ("silhouette", "Distance between them\n(silhouette)"),
        ("stability", "Same when drawn again\n(stability)"),
    ]
    measures = [m for m in measures if any(v is not None for v in data[m[0]])]
    figure.set_size_inches(9.6, 3.1)
    for axes, (name, label) in zip(
        figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True
    ):
        values = np.array(data[name], dtype=float)
        axes.plot(data["cluster_count"], values, "-o", color=ACCENT, markersize=5)
        for k, value, is_chosen in zip(
            data["cluster_count"], values, data["is_chosen"], strict=True
        ):
            if is_chosen:
                axes.axvline(k, color=STRONG, linestyle=":", zorder=0)
                axes.plot(k, value, "o", color=STRONG, markersize=10)
        axes.set_xticks(data["cluster_count"])
        axes.set_xlabel("number of segments")
        axes.grid(axis="y")
        axes.set_title(label, fontsize=10, loc="left")
    return True


def _cohorts(payload, figure) -> bool:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    data = payload.get("cohorts")
    if not data:
        return False
    rows = [
        (cohort, number, rate)
        for cohort, number, rate, is_over in zip(
            data["cohort_month"], data["month_number"], data["retention_rate"],
            data["is_complete"], strict=True,
        )
        if number > 0 and rate is not None and is_over
    ]  # fmt: skip
    if not rows:
        return False
    cohorts = sorted({cohort for cohort, _, _ in rows})
    grid = np.full((len(cohorts), max(number for _, number, _ in rows)), np.nan)
    for cohort, number, rate in rows:
        grid[cohorts.index(cohort), number - 1] = rate
    figure.set_size_inches(7.6, 1.5 + 0.22 * len(cohorts))
    axes = figure.subplots()
    mesh = axes.pcolormesh(
        grid,
        cmap=LinearSegmentedColormap.from_list("retention", SEQUENTIAL),
        vmin=0,
        vmax=float(np.nanquantile(grid, 0.98)) or 1,
        edgecolors="white",
        linewidth=1,
    )
    axes.set_yticks(
        np.arange(len(cohorts)) + 0.5,
        [cohort[:7] for cohort in cohorts],
        fontsize=8,
        color=INK,
    )
    axes.invert_yaxis()
    months = np.arange(0, grid.shape[1], 3 if grid.shape[1] > 12 else 1)
    axes.set_xticks(months + 0.5, months + 1)
    axes.set_xlabel("months after the first purchase")
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, aspect=30, ticks=MaxNLocator(5))
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _title(figure, "Share of customers who bought again, by month of first purchase")
    return True


PICTURES = {
    "shares": ("How large the segments are", _shares),
    "profiles": ("What the segments are like", _profiles),
    "map": ("Customer map", _map),
    "evidence": ("How many segments", _evidence),
    "cohorts": ("Who comes back", _cohorts),
}


def _sums(payload) -> tuple[list[dict], list[int], list[float] | None]:
    """Segments of the primary segmentation with customers, and revenue if known."""
    primary = payload["segmentations"][0]
    cells = payload.get("cells", {"segmentation": []})
    counts = [0] * len(primary["segments"])
    revenue = [0.0] * len(primary["segments"])
    is_known = False
    for row, segmentation in enumerate(cells["segmentation"]):
        if segmentation != primary["id"]:
            continue
        segment = cells["segment"][row]
        counts[segment] += cells["customers"][row]
        if cells["revenue"][row] is not None:
            is_known = True
            revenue[segment] += cells["revenue"][row]
    shown = [number for number, count in enumerate(counts) if count]
    return (
        [primary["segments"][number] for number in shown],
        [counts[number] for number in shown],
        [revenue[number] for number in shown] if is_known else None,
    )


def _in_unit(value, unit: str, payload) -> str:
    if value is None:
        return ""
    if unit == "share":
        return f"{value:.1%}"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
    if unit == "currency":
        return f"{text} {payload['currency']}".strip()
    return text if unit in ("number", "days", "orders") else f"{text} {unit}"


def _direction(axis: dict) -> str:
    told = [
        f"{'more' if weight > 0 else 'less'} {label[:1].lower()}{label[1:]}"
        for label, weight in axis["loadings"][:2]
        if weight and abs(weight) >= 0.35 * abs(axis["loadings"][0][1])
    ]
    return f"→ {', '.join(told)}" if told else ""


def _title(figure, text: str) -> None:
    figure.suptitle(text, x=0.02, ha="left", fontsize=11, fontweight="bold")


def _wrap(text: str, width: int) -> str:
    return fill(text, width)
