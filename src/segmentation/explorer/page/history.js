// The charts of what happens over time, by the same rules as charts.js.

// ---- migration ---------------------------------------------------------------------

const CAUSES = {
  purchase: "after a purchase",
  return: "after a return",
  ageing: "because time passed",
  model: "because the model changed",
};
const MOVES = {
  all: { label: "Everybody who moved", of: (c) => c !== "stayed" && c !== "entered" },
  behaviour: { label: "Moved after buying or returning", of: (c) => c === "purchase" || c === "return" },
  ageing: { label: "Moved because time passed", of: (c) => c === "ageing" },
  everybody: { label: "Also who stayed or came new", of: () => true },
};

function drawMigration(state, look) {
  const migration = DATA.migration?.[state.segmentation.id];
  if (!migration || !state.month || migration.cause.every((c) => !(c in CAUSES))) return null;
  const month = migration.months.indexOf(state.month);
  const nodes = [
    ...state.segmentation.segments,
    ...migration.more_nodes.map((name) => ({ name, colour: "#888888" })),
  ];
  const inMonth = [];
  migration.month.forEach((of, row) => {
    if (of !== month) return;
    inMonth.push({
      source: migration.source[row],
      target: migration.target[row],
      cause: migration.cause[row],
      count: migration.customer_count[row],
    });
  });
  const links = inMonth.filter((l) => MOVES[state.moves].of(l.cause));
  const touches = (l) => state.segment < 0 || l.source === state.segment || l.target === state.segment;
  const shown = sumLinks(links);
  const height = Math.max(440, 90 + 34 * new Set(shown.map((l) => l.source)).size);
  return {
    words: movesInWords(state, inMonth, nodes),
    note: [
      shown.length ? "" : "Nobody moved in this way in this month.",
      shown.some((l) => l.kind === "ageing") && state.moves !== "ageing"
        ? "Grey: moved because time passed, without doing anything."
        : "",
      allCountries(state),
    ].filter(Boolean).join(" "),
    traces: shown.length ? [sankey(look, shown, nodes, touches, height)] : [],
    layout: { height, margin: { l: 6, r: 6, t: 10, b: 14 } },
    columns: ["month", "from", "to", "cause", "customers"],
    rows: links.map((l) => [state.month, nodes[l.source].name, nodes[l.target].name, l.cause, l.count]),
  };
}

// One link for each pair and each of: by what they did, by time alone, stayed.
function sumLinks(links) {
  const sums = new Map();
  for (const link of links) {
    const kind = ["ageing", "stayed", "model", "entered"].includes(link.cause) ? link.cause : "moved";
    const key = `${link.source} ${link.target} ${kind}`;
    const sum = sums.get(key) ?? { ...link, kind, count: 0 };
    sum.count += link.count;
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => a.source - b.source || a.target - b.target);
}

function sankey(look, links, nodes, touches, height) {
  const sides = ["source", "target"].map((side) => {
    const sums = new Map();
    for (const link of links) sums.set(link[side], (sums.get(link[side]) ?? 0) + link.count);
    return [...sums].sort((a, b) => a[0] - b[0]).map(([node, count]) => ({ node, count }));
  });
  const pad = Math.min(16, (height * 0.4) / Math.max(...sides.map((s) => s.length)));
  const inner = height - 24;
  const total = links.reduce((sum, l) => sum + l.count, 0);
  const scale = Math.min(...sides.map((s) => (inner - pad * (s.length - 1)) / total));
  const places = { x: [], y: [], label: [], color: [], number: [new Map(), new Map()] };
  sides.forEach((side, at) => {
    let top = (inner - pad * (side.length - 1) - total * scale) / 2;
    for (const { node, count } of side) {
      places.number[at].set(node, places.x.length);
      places.x.push(at ? 0.999 : 0.001);
      places.y.push(Math.min(0.999, Math.max(0.001, (top + (count * scale) / 2) / inner)));
      places.label.push(plotLines(`${nodes[node].name} ${number(count)}`, look.narrow ? 16 : 60));
      places.color.push(look.colour(nodes[node].colour));
      top += count * scale + pad;
    }
  });
  const colour = (l) =>
    look.rgba(
      l.kind === "ageing" || l.kind === "model" ? look.muted : look.colour(nodes[l.source].colour),
      !touches(l) ? 0.06 : l.kind === "stayed" ? 0.22 : 0.5,
    );
  return {
    type: "sankey",
    arrangement: "fixed",
    textfont: { color: look.ink, size: 12, shadow: look.halo },
    node: {
      x: places.x,
      y: places.y,
      label: places.label,
      color: places.color,
      pad,
      thickness: 14,
      line: { width: 0 },
      hovertemplate: "%{label} customers<extra></extra>",
    },
    link: {
      source: links.map((l) => places.number[0].get(l.source)),
      target: links.map((l) => places.number[1].get(l.target)),
      value: links.map((l) => l.count),
      color: links.map(colour),
      customdata: links.map((l) => [
        plotText(nodes[l.source].name),
        plotText(nodes[l.target].name),
        { moved: "after a purchase or return", entered: "came new", stayed: "stayed" }[l.kind] ??
          CAUSES[l.kind],
      ]),
      hovertemplate:
        "%{customdata[0]} to %{customdata[1]}<br>%{value:,} customers, %{customdata[2]}<extra></extra>",
    },
  };
}

function movesInWords(state, rows, nodes) {
  const sum = (of) => rows.filter(of).reduce((total, r) => total + r.count, 0);
  const isFrom = (r) => state.segment < 0 || r.source === state.segment;
  const was = sum((r) => r.cause !== "entered" && isFrom(r));
  const moved = (r) => r.cause in CAUSES;
  const left = sum((r) => moved(r) && isFrom(r));
  const causes = Object.entries(CAUSES)
    .map(([cause, words]) => [sum((r) => r.cause === cause && isFrom(r)), words])
    .filter(([count]) => count)
    .map(([count, words]) => `${number(count)} ${words}`);
  const start = `${longMonth(state.month)}: ${number(left)} of ${number(was)} customers`;
  const how = causes.length ? `: ${causes.join(", ")}.` : ".";
  if (state.segment < 0) return `${start} (${share(ratio(left, was))}) changed segment${how}`;
  const came = sum((r) => moved(r) && r.target === state.segment);
  return `${start} left ${nodes[state.segment].name}${how} ${number(came)} came from other segments.`;
}

// ---- sizes over time ---------------------------------------------------------------

function drawTrends(state, look) {
  const trends = DATA.trends?.[state.segmentation.id];
  if (!trends) return null;
  const shown = state.segmentation.segments
    .map((segment, index) => ({ ...segment, index, customers: trends.customers[index] }))
    .filter((s) => s.customers.some((count) => count));
  const traces = shown.map((s) => ({
    type: "scatter",
    mode: "lines",
    stackgroup: "one",
    name: plotText(s.name),
    x: trends.months,
    y: s.customers,
    line: { width: 1, color: look.colour(s.colour) },
    fillcolor: look.rgba(look.colour(s.colour), isFaded(state, s.index) ? FADED : 0.75),
    hovertemplate: `${plotText(s.name)}<br>%{x|%B %Y}: %{y:,} customers<extra></extra>`,
  }));
  const room = legendRoom(traces, look.width);
  const last = trends.months.length - 1;
  const told = shown.find((s) => s.index === state.segment);
  const count = (at) =>
    told ? told.customers[at] : shown.reduce((sum, s) => sum + s.customers[at], 0);
  return {
    words:
      `${told ? told.name : "All segments"}: ${number(count(0))} customers at the end of ` +
      `${longMonth(trends.months[0])}, ${number(count(last))} at the end of ${longMonth(trends.months[last])}.`,
    note: `Each month by what was known then. ${allCountries(state)}`,
    traces,
    layout: {
      height: 330 + room,
      margin: { l: 10, r: 14, t: room, b: 20 },
      hovermode: "closest",
      xaxis: axis(look, { type: "date", showgrid: false, tickformat: "%b %Y", nticks: look.narrow ? 4 : 7 }),
      yaxis: axis(look, { text: "customers", rangemode: "tozero" }),
      legend: { ...pointLegend, traceorder: "normal" },
    },
    columns: ["month", "segment", "customers"],
    rows: shown.flatMap((s) => trends.months.map((month, at) => [month, s.name, s.customers[at]])),
  };
}

// ---- cohort retention --------------------------------------------------------------

function drawCohorts(state, look) {
  const data = DATA.cohorts;
  if (!data) return null;
  // A month that is not over would look like one in which fewer came back.
  const isTold = (row) =>
    data.month_number[row] > 0 && data.is_complete[row] && data.retention_rate[row] !== null;
  const told = data.cohort_month.map((_, row) => row).filter(isTold);
  if (!told.length) return null;
  const cohorts = [...new Set(told.map((row) => data.cohort_month[row]))];
  const sizes = new Map(data.cohort_month.map((month, row) => [month, data.customer_count[row]]));
  const months = Math.max(...told.map((row) => data.month_number[row]));
  const grid = cohorts.map(() => Array(months).fill(null));
  const detail = cohorts.map(() => Array(months).fill(""));
  for (const row of told) {
    const at = cohorts.indexOf(data.cohort_month[row]);
    const later = data.month_number[row] - 1;
    grid[at][later] = data.retention_rate[row];
    detail[at][later] =
      `${number(data.active_customer_count[row])} of ${number(data.customer_count[row])} customers`;
  }
  // One month that stands out must not make all others pale.
  const rates = told.map((row) => data.retention_rate[row]).sort((a, b) => a - b);
  const highest = rates[Math.floor(0.98 * (rates.length - 1))] || 1;
  const labels = cohorts.map((m) => `${shortMonth(m)} (${number(sizes.get(m))})`);
  const sum = (column, of) =>
    data[column].reduce((total, value, row) => total + (of(row) ? value : 0), 0);
  const later = (n) => (row) => data.month_number[row] === n && data.is_complete[row];
  const inMonth = (n) =>
    ratio(sum("active_customer_count", later(n)), sum("customer_count", later(n)));
  const means = [1, 3, 12].filter((n) => inMonth(n) !== null).map(
    (n) => `${share(inMonth(n))} ${n === 1 ? "one month" : `${n} months`} after`,
  );
  const isFiltered = segmentOf(state) || countryOf(state);
  return {
    words: `Of those who bought first in a month, so many bought again: ${means.join(", ")}.`,
    note: isFiltered
      ? "All customers: a cohort is everybody who came in a month, not split by segment or country."
      : "",
    traces: [
      {
        type: "heatmap",
        x: Array.from({ length: months }, (_, n) => n + 1),
        y: labels,
        z: grid,
        customdata: detail,
        zmin: 0,
        zmax: highest,
        colorscale: look.sequential,
        xgap: 2,
        ygap: 2,
        hoverongaps: false,
        hovertemplate:
          "first bought %{y}<br>month %{x}: %{z:.1%}<br>%{customdata}<extra></extra>",
        colorbar: {
          thickness: 10,
          len: 0.9,
          tickformat: ".0%",
          tickfont: { color: look.muted, size: 12 },
          outlinewidth: 0,
          nticks: 4,
        },
      },
    ],
    layout: {
      height: 96 + cohorts.length * 17,
      margin: { l: 10, r: 6, t: 10, b: 40 },
      xaxis: axis(look, { text: "months after the first purchase", showgrid: false, dtick: months > 14 || look.narrow ? 3 : 1, tick0: 0 }),
      yaxis: axis(look, {
        autorange: "reversed",
        showgrid: false,
        type: "category",
        ticks: "",
        ticklabelstandoff: 6,
        tickfont: { color: look.ink, size: 11 },
        dtick: 1,
      }),
    },
    minWidth: 150 + months * 16,
    columns: ["first purchase in", "customers", "months after", "bought again", "share", "month is over"],
    rows: data.cohort_month.map((month, row) => [
      month.slice(0, 7),
      data.customer_count[row],
      data.month_number[row],
      data.active_customer_count[row],
      data.retention_rate[row],
      data.is_complete[row] ? "yes" : "no",
    ]),
  };
}

// ---- second purchase ---------------------------------------------------------------

const KINDS = { all: "Everybody", country: "By country", acquisition_channel: "By channel they came by" };

function drawSecondPurchase(state, look) {
  const curves = (DATA.second_purchase ?? []).filter((c) => c.status === "ok");
  const everybody = curves.find((c) => c.kind === "all");
  if (!everybody) return null;
  const country = countryOf(state);
  const own = curves.find((c) => c.kind === "country" && c.name === country);
  const shown =
    state.compare === "all"
      ? own
        ? [everybody, own]
        : [everybody]
      : curves.filter((c) => c.kind === state.compare).slice(0, 6);
  const colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"];
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const label = (c) => (c.kind === "all" ? "everybody" : c.name);
  const traces = shown.flatMap((curve, index) => {
    const colour = look.colour(colours[index]);
    const line = { shape: "hv", color: colour, width: 2.5, dash: dashes[index] };
    const band = curve.lower
      .map((lower, row) => ({ day: curve.day[row], lower, upper: curve.upper[row] }))
      .filter((b) => b.lower !== null);
    const bandTrace = (edge, fill) => ({
      type: "scatter",
      mode: "lines",
      x: band.map((b) => b.day),
      y: band.map((b) => b[edge]),
      line: { shape: "hv", width: 0, color: colour },
      fill,
      fillcolor: look.rgba(colour, 0.18),
      hoverinfo: "skip",
      showlegend: false,
    });
    return [
      ...(shown.length <= 2 ? [bandTrace("upper", "none"), bandTrace("lower", "tonexty")] : []),
      {
        type: "scatter",
        mode: "lines",
        name: plotText(label(curve)),
        x: curve.day,
        y: curve.share_with_second_purchase,
        line,
        hovertemplate: `${plotText(label(curve))}<br>day %{x}: %{y:.1%}<extra></extra>`,
      },
    ];
  });
  const told = state.compare === "all" && own ? own : everybody;
  const half = told.median_days === null
    ? "fewer than half have bought a second time so far"
    : `half have bought a second time after ${number(told.median_days)} days`;
  const isSplit = country && state.compare === "all";
  const lines = traces.filter((t) => t.name);
  const room = lines.length > 1 ? legendRoom(lines, look.width) : 10;
  return {
    words: `${told === own ? country : "Of everybody"}: ${half}.`,
    note: [
      shown.length <= 2 ? "The band is where the share lies with 95 % confidence." : "",
      isSplit && !own ? `${country}: not shown, too few customers or no curve of its own.` : "",
      segmentOf(state) ? "Not split by segment: the segment follows from what was bought." : "",
    ].filter(Boolean).join(" "),
    traces,
    layout: {
      height: 330 + room,
      margin: { l: 10, r: 14, t: room, b: 20 },
      hovermode: "closest",
      showlegend: lines.length > 1,
      xaxis: axis(look, { text: "days after the first purchase", rangemode: "tozero" }),
      yaxis: axis(look, { text: "have bought a second time", tickformat: ".0%", rangemode: "tozero" }),
      legend: { ...pointLegend },
    },
    columns: ["group", "days after first purchase", "share with second purchase", "lower 95 %", "upper 95 %"],
    rows: shown.flatMap((c) =>
      c.day.map((day, row) => [label(c), day, c.share_with_second_purchase[row], c.lower[row], c.upper[row]]),
    ),
  };
}
