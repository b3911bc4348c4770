// How sure the figures are: a plain sentence first, the statistics after it.

const STRUCTURES = {
  separated:
    "The segments are groups of their own: customers of one are closer to each other than " +
    "customers without groups would be.",
  continuous:
    "Customers differ by degrees, without gaps: the segments are slices of a continuum. They " +
    "are useful to plan with, and their borders are soft.",
  unstable: "The segments change when other customers are drawn: take them with care.",
};

function drawCandidates(state, look) {
  const data = DATA.candidates?.[state.segmentation.id];
  if (!data) return null;
  const chosen = data.is_chosen.indexOf(true);
  const measures = [
    { column: "inertia", title: "Spread within segments", tip: "inertia: lower is tighter" },
    { column: "silhouette", title: "Distance between them", tip: "silhouette: higher is clearer" },
    { column: "stability", title: "Same when drawn again", tip: "stability: 1 is always the same" },
  ].filter((m) => data[m.column].some((v) => v !== null));
  const stacked = look.width < 640;
  const gap = stacked ? 0.16 : 0.09;
  const size = (1 - gap * (measures.length - 1)) / measures.length;
  const domain = (n) => [n * (size + gap), n * (size + gap) + size];
  const layout = {
    height: stacked ? 210 * measures.length + 40 : 300,
    margin: { l: 10, r: 14, t: 52, b: 20 },
    showlegend: false,
  };
  const traces = [];
  const annotations = [];
  measures.forEach(({ column, title, tip }, n) => {
    const id = n ? n + 1 : "";
    const place = stacked ? measures.length - 1 - n : n;
    const values = data[column].map((v) => v);
    layout[`xaxis${id}`] = axis(look, {
      domain: stacked ? [0, 1] : domain(n),
      anchor: `y${id}`,
      dtick: 1,
      text: stacked && n < measures.length - 1 ? "" : "number of segments",
      showgrid: false,
    });
    layout[`yaxis${id}`] = axis(look, {
      domain: stacked ? domain(place) : [0, 1],
      anchor: `x${id}`,
      nticks: 5,
      ...(column === "stability" ? { range: [Math.min(0.5, ...values.filter((v) => v !== null)) - 0.05, 1.03] } : {}),
    });
    traces.push({
      type: "scatter",
      mode: "lines+markers",
      name: column,
      xaxis: `x${id}`,
      yaxis: `y${id}`,
      x: data.cluster_count,
      y: values,
      error_y:
        column === "stability"
          ? { type: "data", array: data.stability_error.map((e) => e ?? 0), color: look.muted, thickness: 1.2, width: 3 }
          : undefined,
      line: { color: look.accent, width: 2 },
      marker: {
        size: data.is_chosen.map((is) => (is ? 13 : 8)),
        color: data.is_usable.map((is, row) => (data.is_chosen[row] ? look.strong : is ? look.accent : look.card)),
        line: { color: data.is_chosen.map((is) => (is ? look.strong : look.accent)), width: 2 },
        opacity: 1,
      },
      text: data.reason.map((reason) => plotLines(sentence(reason), 46)),
      hovertemplate: `%{x} segments, ${column} %{y:.3~f}<br>%{text}<extra></extra>`,
    });
    annotations.push({
      xref: "paper",
      yref: "paper",
      x: stacked ? 0 : domain(n)[0],
      y: stacked ? domain(place)[1] : 1,
      xanchor: "left",
      yanchor: "bottom",
      yshift: 8,
      align: "left",
      showarrow: false,
      text: `<b>${title}</b><br>${tip}`,
      font: { size: 12, color: look.ink },
    });
    if (chosen >= 0) {
      (layout.shapes ??= []).push({
        type: "line",
        xref: `x${id}`,
        yref: `y${id} domain`,
        x0: data.cluster_count[chosen],
        x1: data.cluster_count[chosen],
        y0: 0,
        y1: 1,
        line: { color: look.strong, width: 1.5, dash: "dot" },
        layer: "below",
      });
    }
  });
  const { structure, reason, tree_accuracy: tree } = state.segmentation;
  return {
    words:
      (chosen >= 0
        ? `${number(data.cluster_count[chosen])} segments were formed from the data, marked by the dotted line. `
        : "No number of segments was good enough. ") + (STRUCTURES[structure] ?? ""),
    note:
      `${sentence(reason)} Hollow: not usable, point at it for the reason.` +
      (tree == null ? "" : ` Simple rules find ${share(tree, 0)} of the segments again.`) +
      (countryOf(state) || segmentOf(state) ? " The evidence is of all customers together." : ""),
    traces,
    annotations,
    layout,
    columns: ["segments", "inertia", "silhouette", "stability", "stability error", "usable", "chosen", "reason"],
    rows: data.cluster_count.map((k, row) => [
      k,
      data.inertia[row],
      data.silhouette[row],
      data.stability[row],
      data.stability_error[row],
      data.is_usable[row] ? "yes" : "no",
      data.is_chosen[row] ? "yes" : "no",
      data.reason[row],
    ]),
  };
}

function drawValueValidation(state, look) {
  const data = DATA.value_validation;
  if (!data) return null;
  const tenths = data.bin.map((bin) => String(bin));
  const top = data.bin.length - 1;
  const bars = (name, values, colour) => ({
    type: "bar",
    name,
    x: tenths,
    y: values,
    marker: { color: colour },
    hovertemplate: `tenth %{x}: ${name} %{y:,.0f}<extra></extra>`,
  });
  return {
    words:
      `Customers were ranked by what they were expected to spend. The best tenth was expected to ` +
      `spend ${amount(data.predicted[top])} each and spent ${amount(data.actual[top])}.`,
    note: data.verdicts.map(sentence).join(" ") + ofAll(state),
    traces: [
      bars("expected", data.predicted, look.neutral),
      bars("spent", data.actual, look.accent),
    ],
    layout: {
      height: 340,
      margin: { l: 10, r: 10, t: 36, b: 20 },
      barmode: "group",
      bargap: 0.25,
      xaxis: axis(look, { text: "tenth of customers, 10 is the best by expectation", type: "category", showgrid: false }),
      yaxis: axis(look, { text: `mean spend${DATA.currency ? `, ${DATA.currency}` : ""}` }),
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
    columns: ["tenth", "expected spend", "actual spend", "customers"],
    rows: data.bin.map((bin, row) => [bin, data.predicted[row], data.actual[row], data.customer_count[row]]),
  };
}

const ofAll = (state) =>
  countryOf(state) || segmentOf(state) ? " Judged on all customers together." : "";

function drawChurnValidation(state, look) {
  const data = DATA.churn_validation;
  if (!data) return null;
  const errors = (edge, sign) =>
    data.estimate.map((v, row) => (data[edge][row] === null ? 0 : sign * (data[edge][row] - v)));
  const distance = Math.max(...data.estimate.map((v, row) => Math.abs(v - data.predicted[row])));
  const top = data.bin.length - 1;
  return {
    words:
      `Of the tenth that looked most likely to leave, ${share(data.predicted[top], 0)} were expected to ` +
      `buy nothing and ${share(data.estimate[top], 0)} did buy nothing. On the dotted line, expected ` +
      `and actual are the same; the largest gap is ${number(100 * distance)} points.`,
    note:
      `Model in use: ${inWords(data.model).toLowerCase()}. ${sentence(data.verdict)} ` +
      `Area under the curve: ${data.auc
        .map((a) => `${inWords(a.model).toLowerCase()} ${number(a.estimate, 2)}`)
        .join(", ")}.${ofAll(state)}`,
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: [0, 1],
        y: [0, 1],
        line: { dash: "dot", color: look.muted, width: 1.5 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "markers",
        name: "tenths",
        x: data.predicted,
        y: data.estimate,
        error_y: {
          type: "data",
          symmetric: false,
          array: errors("upper", 1),
          arrayminus: errors("lower", -1),
          color: look.muted,
          thickness: 1.4,
          width: 4,
        },
        marker: { size: 9, color: look.accent },
        customdata: data.customer_count,
        hovertemplate: "expected %{x:.0%}, actual %{y:.0%}<br>%{customdata:,} customers<extra></extra>",
      },
    ],
    layout: {
      height: 340,
      margin: { l: 10, r: 14, t: 14, b: 20 },
      showlegend: false,
      hovermode: "closest",
      xaxis: axis(look, { text: "expected to buy nothing", tickformat: ".0%", range: [-0.03, 1.03] }),
      yaxis: axis(look, { text: "did buy nothing", tickformat: ".0%", range: [-0.03, 1.03] }),
    },
    columns: ["tenth", "expected share", "actual share", "lower 95 %", "upper 95 %", "customers"],
    rows: data.bin.map((bin, row) => [
      bin, data.predicted[row], data.estimate[row], data.lower[row], data.upper[row], data.customer_count[row],
    ]),
  };
}
