// The charts of customers. Each builder is given the choice and the look, and returns
// { words, traces, layout, columns, rows }: what a reader should see, what Plotly draws
// and the numbers behind it. null: the choice has nothing to draw, so there is no chart.

const FADED = 0.2;
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "cross"];
const HIGHEST_EFFECT = 2;

const isFaded = (state, index) => state.segment >= 0 && state.segment !== index;
const opacities = (state, figures) => figures.map((f) => (isFaded(state, f.index) ? FADED : 1));
const allCountries = (state) =>
  countryOf(state) ? "All countries: this is not counted by country." : "";

function axis(look, more = {}) {
  return {
    gridcolor: look.grid,
    linecolor: look.grid,
    zerolinecolor: look.grid,
    tickfont: { color: look.muted, size: 12 },
    title: { font: { color: look.muted, size: 12 }, standoff: 8, text: more.text },
    automargin: true,
    fixedrange: true,
    ...more,
  };
}

// ---- share of customers against share of revenue -----------------------------------

function drawShares(state, look) {
  const figures = segmentFigures(state).filter((f) => f.customers > 0);
  if (!figures.length) return null;
  const hasRevenue = figures.some((f) => f.revenue_share !== null);
  const labels = figures.map((f) => plotLines(f.name, look.narrow ? 13 : 22));
  const lengths = (values) => values.map((value) => Math.max(0, value)); // refunds alone
  const bars = (name, values, colours, text, inLegend) => ({
    type: "bar",
    orientation: "h",
    name,
    y: labels,
    x: lengths(values),
    text,
    textposition: "outside",
    textfont: { color: look.ink, size: 12 },
    cliponaxis: false,
    marker: { color: colours, opacity: opacities(state, figures) },
    hovertext: figures.map((f) => plotText(f.name)),
    hovertemplate: `%{hovertext}: %{text}<extra></extra>`,
    customdata: figures.map((f) => f.index),
    showlegend: inLegend,
  });
  const colours = figures.map((f) => look.colour(f.colour));
  const customers = figures.map((f) => f.customer_share);
  const revenue = figures.map((f) => f.revenue_share ?? 0);
  const of = (values, what) =>
    values.map((value) => `${share(value)}${look.narrow ? "" : ` of ${what}`}`);
  const traces = hasRevenue
    ? [
        bars("customers", customers, look.neutral, of(customers, "customers"), look.narrow),
        bars("revenue", revenue, colours, of(revenue, "revenue"), look.narrow),
      ]
    : [bars("customers", customers, colours, of(customers, "customers"), false)];
  const longest = Math.max(...customers, ...(hasRevenue ? revenue : []));
  return {
    title: hasRevenue ? "Share of customers and revenue" : "Share of customers",
    words: sharesInWords(state, figures, hasRevenue),
    traces,
    layout: {
      barmode: "group",
      bargap: 0.28,
      bargroupgap: 0.08,
      height: 70 + figures.length * (hasRevenue ? 56 : 44),
      margin: { l: 10, r: 10, t: look.narrow && hasRevenue ? 34 : 10, b: 30 },
      xaxis: axis(look, {
        tickformat: ".0%",
        range: [0, longest * (look.narrow ? 1.3 : 1.42)],
        nticks: 5,
      }),
      yaxis: axis(look, {
        autorange: "reversed",
        showgrid: false,
        tickfont: { color: look.ink, size: 12 },
        ticklabelstandoff: 6,
      }),
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, traceorder: "normal" },
    },
    columns: ["segment", "customers", "share of customers", "net revenue", "share of revenue"],
    rows: figures.map((f) => [f.name, f.customers, f.customer_share, f.revenue, f.revenue_share]),
  };
}

function sharesInWords(state, figures, hasRevenue) {
  const where = countryOf(state) ? ` in ${countryOf(state)}` : "";
  const chosen = figures.find((f) => f.index === state.segment);
  const by = hasRevenue ? "revenue_share" : "customer_share";
  const told = chosen ?? [...figures].sort((a, b) => b[by] - a[by])[0];
  const customers = `${share(told.customer_share)} of customers${where}`;
  return hasRevenue
    ? `${told.name}: ${customers} bring ${share(told.revenue_share)} of revenue.`
    : `${told.name}: ${customers}${chosen ? "" : ", the largest segment"}.`;
}

// ---- profile heat map --------------------------------------------------------------

function drawProfiles(state, look) {
  const profile = DATA.profiles?.[state.segmentation.id];
  if (!profile) return null;
  const values = profileValues(state);
  const shown = state.segmentation.segments
    .map((segment, index) => ({ ...segment, index }))
    .filter(({ index }) => (values[index] ?? []).length);
  const known = profile.features
    .map((feature, index) => ({ ...feature, index }))
    .filter(({ index }) => shown.some((s) => values[s.index][index]?.value != null));
  if (!shown.length || !known.length) return null;
  const cell = (segment, feature) => values[segment.index][feature.index] ?? {};
  const limited = (effect) =>
    effect == null ? 0 : Math.max(-HIGHEST_EFFECT, Math.min(HIGHEST_EFFECT, effect));
  const labels = shown.map((s) => plotLines(s.name, look.narrow ? 13 : 22));
  const heads = known.map((f) => plotLines(f.label, 10));
  const top = 26 + 15 * Math.max(...heads.map((head) => head.split("<br>").length - 1));
  const isPartial = countryOf(state) && known.length < profile.features.length;
  const features = known.map((_, place) => place);
  return {
    words:
      "Each number is the mean of the segment. Blue is below the average customer, " +
      "orange above; the stronger, the further.",
    note: !countryOf(state)
      ? ""
      : profile.by_country
        ? `Means of customers in ${countryOf(state)}; the colours compare with customers of ` +
          `all countries.${isPartial ? " What is not published by customer is left out." : ""}`
        : allCountries(state),
    traces: [
      {
        type: "heatmap",
        x: features,
        y: labels,
        z: shown.map((s) => known.map((f) => limited(cell(s, f).effect))),
        text: shown.map((s) => known.map((f) => plotText(inUnit(cell(s, f).value, f.unit)))),
        customdata: shown.map((s) =>
          known.map((f) => [s.index, plotText(f.label), plotText(inUnit(f.mean_of_all, f.unit))]),
        ),
        hovertemplate:
          "%{y}<br>%{customdata[1]}: %{text}<br>all customers: %{customdata[2]}<extra></extra>",
        zmin: -HIGHEST_EFFECT,
        zmax: HIGHEST_EFFECT,
        colorscale: look.diverging,
        showscale: false,
        xgap: 3,
        ygap: 3,
        hoverongaps: false,
      },
    ],
    annotations: shown.flatMap((s, row) =>
      known.map((f, column) => ({
        x: column,
        y: row,
        text: plotText(cell(s, f).value == null ? "" : inUnit(cell(s, f).value, f.unit)),
        showarrow: false,
        font: {
          size: 12,
          color: look.textOn(limited(cell(s, f).effect) / HIGHEST_EFFECT),
          weight: state.segment === s.index ? 700 : 400,
        },
      })),
    ),
    layout: {
      height: top + 24 + shown.length * 46,
      margin: { l: 10, r: 6, t: top, b: 10 },
      xaxis: axis(look, {
        side: "top",
        showgrid: false,
        ticks: "",
        tickvals: features,
        ticktext: heads,
        tickangle: 0,
        tickfont: { color: look.ink, size: 11 },
      }),
      yaxis: axis(look, {
        autorange: "reversed",
        showgrid: false,
        ticks: "",
        tickfont: { color: look.ink, size: 12 },
        ticklabelstandoff: 6,
      }),
      shapes:
        state.segment < 0
          ? []
          : shown.flatMap((s, row) =>
              s.index === state.segment
                ? [
                    {
                      type: "rect",
                      xref: "paper",
                      x0: 0,
                      x1: 1,
                      y0: row - 0.5,
                      y1: row + 0.5,
                      line: { color: look.ink, width: 2 },
                    },
                  ]
                : [],
            ),
    },
    minWidth: 150 + known.length * 68,
    columns: ["segment", ...known.map((f) => f.label)],
    rows: shown.map((s) => [s.name, ...known.map((f) => cell(s, f).value ?? null)]),
  };
}

// ---- customer map ------------------------------------------------------------------

// "more orders, more spend, fewer days since last purchase"
function directionInWords(loadings, count) {
  const heaviest = Math.abs(loadings[0]?.[1] ?? 0);
  return loadings
    .filter(([, weight]) => Math.abs(weight) >= 0.35 * heaviest && weight !== 0)
    .slice(0, count)
    .map(([label, weight]) => `${weight > 0 ? "more" : "less"} ${lowerFirst(label)}`)
    .join(", ");
}

// The points of one segment each, the faded ones below the others.
function pointTraces(state, look, points, place) {
  return state.segmentation.segments
    .map((segment, index) => {
      const rows = [];
      points.segment.forEach((of, row) => {
        const isHere = state.country < 0 || points.country[row] === state.country;
        if (of === index && isHere && place.x(row) !== null && place.y(row) !== null) {
          rows.push(row);
        }
      });
      return {
        type: "scatter",
        mode: "markers",
        name: plotText(segment.name),
        index,
        legendrank: index + 1,
        x: rows.map(place.x),
        y: rows.map(place.y),
        text: rows.map((row) => place.hover(segment, row)),
        hovertemplate: "%{text}<extra></extra>",
        customdata: rows.map(() => index),
        opacity: isFaded(state, index) ? FADED : 0.8,
        marker: {
          color: look.colour(segment.colour),
          symbol: SYMBOLS[index % SYMBOLS.length],
          size: look.narrow ? 5 : 6,
          line: { width: 0 },
        },
      };
    })
    .filter((trace) => trace.x.length)
    .sort((a, b) => isFaded(state, b.index) - isFaded(state, a.index));
}

const pointLegend = {
  orientation: "h",
  y: 1.02,
  yanchor: "bottom",
  x: 0,
  itemclick: false,
  itemdoubleclick: false,
  itemsizing: "constant",
};

// Room for a legend of names above the plot, in as many lines as it takes.
function legendRoom(traces, width) {
  const letters = traces.reduce((sum, t) => sum + t.name.length * 7 + 46, 0);
  return 14 + 20 * Math.ceil(letters / Math.max(260, width - 60));
}

function pointHover(points, extra = []) {
  return (segment, row) =>
    [
      `<b>${plotText(segment.name)}</b>`,
      ...(DATA.countries.length ? [plotText(DATA.countries[points.country[row]])] : []),
      ...extra.map((line) => line(row)),
    ].join("<br>");
}

function sampleInWords(state, traces) {
  const count = traces.reduce((sum, t) => sum + t.x.length, 0);
  const where = countryOf(state) ? ` in ${countryOf(state)}` : "";
  const isThere = state.segment < 0 || traces.some((t) => t.index === state.segment);
  const missing = isThere ? "" : `${segmentOf(state).name}: nobody to draw. `;
  return `${missing}${number(count)} customers${where} are drawn`;
}

function drawMap(state, look) {
  const points = DATA.map?.[state.segmentation.id];
  if (!points) return null;
  const lines = points.hover.map(
    (feature, place) => (row) =>
      `${plotText(feature.label)}: ${plotText(inUnit(points.values[place][row], feature.unit))}`,
  );
  const traces = pointTraces(state, look, points, {
    x: (row) => points.x[row],
    y: (row) => points.y[row],
    hover: pointHover(points, lines),
  });
  if (!traces.length) return null;
  const [right, up] = [0, 1].map((n) => directionInWords(points.axes[n]?.loadings ?? [], 3));
  const room = legendRoom(traces, look.width);
  const title = (n) =>
    directionInWords(points.axes[n]?.loadings ?? [], n || look.narrow ? 1 : 2);
  const both = points.axes.reduce((sum, a) => sum + (a.share ?? 0), 0);
  return {
    words:
      "Customers close to each other are alike. " +
      `${right ? `Further right: ${right}. ` : ""}${up ? `Further up: ${up}.` : ""}`,
    note:
      `${sampleInWords(state, traces)}${both ? `; the picture shows ${share(both, 0)} of how they differ` : ""}.` +
      (look.narrow ? "" : " Drag to zoom, double-click to go back."),
    traces,
    layout: {
      height: (look.narrow ? 340 : 440) + room,
      margin: { l: 10, r: 10, t: room, b: 20 },
      dragmode: look.narrow ? false : "zoom",
      hovermode: "closest",
      xaxis: axis(look, { text: title(0) && `→ ${plotText(title(0))}`, fixedrange: false }),
      yaxis: axis(look, { text: title(1) && `→ ${plotText(title(1))}`, fixedrange: false }),
      legend: pointLegend,
    },
    columns: ["segment", ...(DATA.countries.length ? ["country"] : []), "right", "up",
      ...points.hover.map((f) => f.label)],
    rows: mapRows(state, points, (row) => [points.x[row], points.y[row]]),
  };
}

function mapRows(state, points, place) {
  return points.segment
    .map((segment, row) => [
      state.segmentation.segments[segment].name,
      ...(DATA.countries.length ? [DATA.countries[points.country[row]]] : []),
      ...place(row),
      ...points.values.map((values) => values[row]),
    ])
    .filter((_, row) => state.country < 0 || points.country[row] === state.country);
}

// ---- two features of the input's own -----------------------------------------------

// An axis of a feature; one with a long tail is drawn by its logarithm.
function featureAxis(look, feature, values) {
  const known = values.filter((v) => v !== null).sort((a, b) => a - b);
  const middle = known[known.length >> 1] ?? 0;
  const highest = known[known.length - 1] ?? 0;
  const isLong = known[0] >= 0 && highest > 20 * Math.max(middle, highest / 1e6);
  const text = plotText(
    feature.label + (["number", "share", "currency"].includes(feature.unit) ? "" : ` (${feature.unit})`),
  );
  if (!isLong) {
    const format = feature.unit === "share" ? { tickformat: ".0%" } : {};
    return { place: (v) => v, axis: axis(look, { text, fixedrange: false, ...format }) };
  }
  const ticks = [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6].filter((t) => t <= highest * 1.5);
  return {
    place: (v) => (v === null ? null : Math.log1p(v)),
    axis: axis(look, {
      text: `${text} (tenfold steps)`,
      tickvals: ticks.map(Math.log1p),
      ticktext: ticks.map((t) => number(t)),
      fixedrange: false,
    }),
  };
}

function drawOwnFeatures(state, look) {
  const points = DATA.map?.[state.segmentation.id];
  if (!points?.own) return null;
  const [first, second] = points.own;
  const [x, y] = [first, second].map((n) => featureAxis(look, points.hover[n], points.values[n]));
  const lines = points.hover.map(
    (feature, place) => (row) =>
      `${plotText(feature.label)}: ${plotText(inUnit(points.values[place][row], feature.unit))}`,
  );
  const traces = pointTraces(state, look, points, {
    x: (row) => x.place(points.values[first][row]),
    y: (row) => y.place(points.values[second][row]),
    hover: pointHover(points, lines),
  });
  if (!traces.length) return null;
  const room = legendRoom(traces, look.width);
  return {
    title: `${points.hover[first].label} and ${lowerFirst(points.hover[second].label)}`,
    words: "Each mark is a customer, placed by the two features that tell the segments apart most.",
    note: `${sampleInWords(state, traces)}.`,
    traces,
    layout: {
      height: (look.narrow ? 340 : 440) + room,
      margin: { l: 10, r: 10, t: room, b: 20 },
      dragmode: look.narrow ? false : "zoom",
      hovermode: "closest",
      xaxis: x.axis,
      yaxis: y.axis,
      legend: pointLegend,
    },
    columns: ["segment", ...(DATA.countries.length ? ["country"] : []),
      ...points.hover.map((f) => f.label)],
    rows: mapRows(state, points, () => []),
  };
}

// ---- value against risk ------------------------------------------------------------

function drawRisk(state, look) {
  const risk = DATA.risk;
  const segment = risk?.segment[state.segmentation.id];
  if (!segment) return null;
  const points = { ...risk, segment };
  const silent = DATA.horizon_days ? `the next ${DATA.horizon_days} days` : "the next months";
  const traces = pointTraces(state, look, points, {
    x: (row) => risk.churn_probability[row],
    y: (row) => (risk.value_if_retained[row] > 0 ? risk.value_if_retained[row] : null),
    hover: pointHover(points, [
      (row) => `buys nothing in ${silent}: ${share(risk.churn_probability[row], 0)}`,
      (row) => `worth if they stay: ${plotText(amount(risk.value_if_retained[row]))}`,
      (row) => `spent so far: ${plotText(amount(risk.monetary[row]))}`,
    ]),
  });
  if (!traces.length) return null;
  const sums = sumsOf(state.segmentation, { segment: state.segment, country: state.country });
  const room = legendRoom(traces, look.width);
  return {
    words:
      `Top right are those worth keeping who may leave. ${whoIsShown(state)}: ` +
      `${amount(sums.value_at_risk)} at risk, ${number(sums.high_value_at_risk)} high-value ` +
      "customers likely to leave.",
    note:
      `${sampleInWords(state, traces)}; the figures are of all. Worth if they stay is an ` +
      "estimate of what a customer brings who goes on buying.",
    traces,
    layout: {
      height: (look.narrow ? 340 : 440) + room,
      margin: { l: 10, r: 10, t: room, b: 20 },
      dragmode: look.narrow ? false : "zoom",
      hovermode: "closest",
      xaxis: axis(look, {
        text: `chance of buying nothing in ${silent}`,
        tickformat: ".0%",
        range: [-0.02, 1.02],
        fixedrange: false,
      }),
      yaxis: axis(look, {
        text: `worth if they stay${DATA.currency ? `, ${DATA.currency}` : ""}`,
        type: "log",
        tickvals: [0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7],
        ticktext: ["0.1", "1", "10", "100", "1,000", "10,000", "100,000", "1 M", "10 M"],
        fixedrange: false,
      }),
      legend: pointLegend,
    },
    columns: ["segment", ...(DATA.countries.length ? ["country"] : []),
      "chance of buying nothing", "worth if they stay", "spent so far"],
    rows: segment
      .map((of, row) => [
        of,
        state.segmentation.segments[of]?.name,
        ...(DATA.countries.length ? [DATA.countries[risk.country[row]]] : []),
        risk.churn_probability[row],
        risk.value_if_retained[row],
        risk.monetary[row],
        risk.country[row],
      ])
      .filter((row) => row[0] !== null && (state.country < 0 || row[row.length - 1] === state.country))
      .map((row) => row.slice(1, -1)),
  };
}
