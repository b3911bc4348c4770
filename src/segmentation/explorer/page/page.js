// The page itself: controls, sections, cards, and drawing them for a choice.

const CHARTS = [
  { id: "shares", title: "Share of customers and revenue", draw: drawShares, row: "who", grow: 5 },
  { id: "profiles", title: "What they are like", draw: drawProfiles, row: "who", grow: 7 },
  { id: "own", title: "Their own features", draw: drawOwnFeatures, row: "map", grow: 6 },
  { id: "map", title: "Customer map", draw: drawMap, row: "map", grow: 6 },
  { id: "risk", title: "Value against risk", draw: drawRisk, row: "map", grow: 6 },
  { id: "migration", title: "Movement between segments", draw: drawMigration, row: "time", grow: 6, controls: migrationControls },
  { id: "cohorts", title: "Who comes back", draw: drawCohorts, row: "time", grow: 6 },
  { id: "trends", title: "Segments over time", draw: drawTrends, row: "second", grow: 6 },
  { id: "second_purchase", title: "The second purchase", draw: drawSecondPurchase, row: "second", grow: 6, controls: curveControls },
  { id: "candidates", title: "How many segments?", draw: drawCandidates, row: "evidence", grow: 12 },
  { id: "value_validation", title: "Is the expected spend right?", draw: drawValueValidation, row: "validation", grow: 6 },
  { id: "churn_validation", title: "Is the risk of leaving right?", draw: drawChurnValidation, row: "validation", grow: 6 },
];
const SECTIONS = [
  { title: "Who they are", rows: ["who", "segments", "map"] },
  { title: "How they move", rows: ["time", "second"] },
  {
    title: "How sure is this?",
    lead: "A sentence in plain words first, then what statistics say. Nothing here is needed to act.",
    rows: ["evidence", "validation"],
  },
];
const PLOTLY = { displayModeBar: false, responsive: false, displaylogo: false, typesetMath: false };
const LONGEST_ACTIONS = { page: 5, phone: 3 };
const LONGEST_TABLE = 200;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const NARROW = 440;
const PHONE = 760;
const byId = (id) => document.getElementById(id);

// ---- look: colours of light and dark ------------------------------------------------

const colourScheme = matchMedia("(prefers-color-scheme: dark)");
let isPrinting = false;
let showsAllActions = false;

function storedTheme(theme) {
  try {
    if (theme) localStorage.setItem("theme", theme);
    return localStorage.getItem("theme");
  } catch {
    return theme ?? null; // storage is closed to a file in some browsers
  }
}

let theme = storedTheme();

const isDark = () => !isPrinting && (theme ? theme === "dark" : colourScheme.matches);

function parts(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function brightness(colour) {
  const [r, g, b] = parts(colour).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mix(colour, other, weight) {
  const [a, b] = [parts(colour), parts(other)];
  return `#${a.map((c, n) => Math.round(c + (b[n] - c) * weight).toString(16).padStart(2, "0")).join("")}`;
}

function lookOf(width) {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  const dark = isDark();
  const diverging = dark
    ? ["#5aa2e0", "#262c37", "#e0853a"]
    : ["#2f78bd", "#f1f2f4", "#d9730d"];
  return {
    width,
    narrow: width < NARROW,
    dark,
    ...Object.fromEntries(
      ["ink", "muted", "grid", "card", "neutral", "accent", "strong"].map((n) => [n, value(n)]),
    ),
    diverging: diverging.map((colour, n) => [n / 2, colour]),
    sequential: dark
      ? [[0, "#1d2735"], [0.5, "#2f6aa8"], [1, "#9fd0ff"]]
      : [[0, "#eef4fb"], [0.5, "#6aa5dc"], [1, "#0b3c73"]],
    halo: dark ? "0 0 3px #000, 0 0 3px #000" : "0 0 3px #fff, 0 0 3px #fff",
    // A dark colour of the palette would drown in a dark page.
    colour: (c) => (dark && brightness(c) < 0.16 ? mix(c, "#ffffff", 0.35) : c),
    rgba: (c, alpha) => `rgba(${parts(c).join(",")},${alpha})`,
    // Text on a cell of the diverging scale, -1 to 1.
    textOn: (position) => {
      const end = position < 0 ? diverging[0] : diverging[2];
      const cell = mix(diverging[1], end, Math.min(1, Math.abs(position)));
      return brightness(cell) > 0.25 ? "#101418" : "#ffffff";
    },
  };
}

// ---- controls -----------------------------------------------------------------------

function picker(id, label, options, value, onchange) {
  return make(
    "label",
    { class: "picker", for: id },
    make("span", {}, label),
    make(
      "select",
      { id, onchange: (event) => onchange(event.target.value) },
      options.map(([key, text]) => make("option", { value: key, selected: key === value }, text)),
    ),
  );
}

// A control that is drawn anew would lose the keyboard's place on the page.
function replaceKeepingFocus(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.replaceChildren(...children);
  if (focused) byId(focused)?.focus({ preventScroll: true });
}

function drawFilters(state) {
  const look = lookOf(innerWidth);
  const chip = (id, label, index, colour) =>
    make(
      "span",
      { class: "chip" },
      make("input", {
        type: "radio",
        name: "segment",
        id: `segment-${index}`,
        value: id,
        checked: state.segment === index,
        onchange: () => choose({ segment: id }),
      }),
      make(
        "label",
        { for: `segment-${index}` },
        colour ? make("i", { class: "dot", style: `background:${look.colour(colour)}` }) : null,
        label,
      ),
    );
  const pickers = [];
  if (DATA.segmentations.length > 1) {
    pickers.push(
      picker(
        "segmentation",
        "Segmentation",
        DATA.segmentations.map((s) => [s.id, s.label]),
        state.segmentation.id,
        (id) => choose({ segmentation: id, segment: EVERYBODY }),
      ),
    );
  }
  if (DATA.countries.length) {
    pickers.push(
      picker(
        "country",
        "Country",
        [[EVERYBODY, "All countries"], ...DATA.countries.map((c) => [c, c])],
        countryOf(state) ?? EVERYBODY,
        (country) => choose({ country }),
      ),
    );
  }
  replaceKeepingFocus(
    byId("filters"),
    make(
      "div",
      { class: "inside" },
      pickers.length ? make("div", { class: "pickers" }, pickers) : null,
      make(
        "fieldset",
        { class: "chips" },
        make("legend", { class: "unseen" }, "Segment"),
        chip(EVERYBODY, "All segments", -1),
        state.segmentation.segments.map((s, index) => chip(s.id, s.name, index, s.colour)),
      ),
    ),
  );
}

function migrationControls(state) {
  const months = [...(DATA.migration[state.segmentation.id]?.months ?? [])].reverse();
  return [
    picker("month", "Month", months.map((m) => [m, longMonth(m)]), state.month, (month) => choose({ month })),
    picker(
      "moves",
      "Show",
      Object.entries(MOVES).map(([key, { label }]) => [key, label]),
      state.moves,
      (moves) => choose({ moves }),
    ),
  ];
}

function curveControls(state) {
  const kinds = curveKinds();
  return kinds.length < 2
    ? []
    : [picker("compare", "Show", kinds.map((k) => [k, KINDS[k] ?? inWords(k)]), state.compare, (compare) => choose({ compare }))];
}

// ---- what to do ---------------------------------------------------------------------

const STAKES = { lifetime_value: "expected value", value_at_risk: "value at risk" };
const NO_WORTH = {
  no_value: "no value is known",
  no_assumption: "no effect is assumed",
};

function reachInWords(row) {
  return row.reachable_customer_count === null
    ? ["", `${number(row.customer_count)} customers`]
    : [`of ${number(row.customer_count)} customers`, `${number(row.reachable_customer_count)} reachable`];
}

function assumptionInWords(row) {
  if (row.uplift === null) return "";
  const interval =
    row.uplift_lower === null ? "" : ` (${share(row.uplift_lower)} to ${share(row.uplift_upper)})`;
  const won = `${share(row.uplift)} of their ${STAKES[row.value_at_stake] ?? "value"}`;
  return row.uplift_status === "measured"
    ? `Measured by campaigns: ${won} is won${interval}`
    : `Assumed, not measured yet: ${won} is won`;
}

function measurableInWords(row) {
  const audience = row.audience;
  if (!audience) return "";
  const reasons = {
    too_small: "Too few customers to measure what it does.",
    no_base_rate: "Cannot be measured: what they would do anyway is not known.",
    nobody_to_contact: "Nobody can be contacted.",
    no_channel: "Nothing to contact them for.",
  };
  if (audience.can_be_measured) {
    return (
      `Can be measured: ${number(audience.control_count)} kept back show an effect of ` +
      `${number(100 * audience.detectable_lift, 1)} points or more.`
    );
  }
  if (audience.status === "ok" && audience.detectable_lift !== null) {
    return `Only an effect of ${number(100 * audience.detectable_lift, 0)} points or more would show.`;
  }
  return reasons[audience.status] ?? "";
}

function worthInWords(row) {
  if (row.net_worth === null) return make("span", { class: "muted" }, NO_WORTH[row.status] ?? NOT_KNOWN);
  return make("strong", {}, amount(row.net_worth));
}

function recommendationsOf(state) {
  const all = DATA.recommendations ?? [];
  const plansSegments = state.segment >= 0 || state.actions === "segments";
  const wanted = plansSegments ? state.segmentation.id : "next_action";
  let rows = all.filter((r) => r.segmentation === wanted);
  if (state.segment >= 0) rows = rows.filter((r) => r.segment === state.segment);
  else rows = rows.filter((r) => r.is_best_action);
  return { plansSegments, rows };
}

function drawActions(state) {
  const { plansSegments, rows } = recommendationsOf(state);
  const section = make("section", { id: "actions", "aria-labelledby": "actions-title" });
  const hasNext = HAS_ORDERS && (DATA.recommendations ?? []).some((r) => r.segmentation === "next_action");
  section.append(
    make(
      "div",
      { class: "heading" },
      make("h2", { id: "actions-title" }, "What to do"),
      state.segment < 0 && hasNext
        ? picker(
            "plan",
            "Plan by",
            [
              ["next", "Customer: each one once"],
              ["segments", `Segment of ${lowerFirst(state.segmentation.label)}`],
            ],
            state.actions,
            (actions) => choose({ actions }),
          )
        : null,
    ),
  );
  if (!rows.length) {
    section.append(make("p", { class: "card" }, "Nothing is recommended for this choice."));
    return section;
  }
  const first = headline(rows);
  if (first) section.append(make("p", { class: "lead" }, first));
  const longest = innerWidth <= PHONE ? LONGEST_ACTIONS.phone : LONGEST_ACTIONS.page;
  const visible = showsAllActions ? rows : rows.slice(0, longest);
  const hasWorth = rows.some((r) => r.net_worth !== null);
  const hasReach = rows.some((r) => r.reachable_customer_count !== null);
  const look = lookOf(innerWidth);
  const cells = (row) => {
    const [of, reach] = reachInWords(row);
    const colour = state.segmentation.segments[row.segment]?.colour;
    const columns = [
      ["Who", make("span", { class: "name" },
        colour && plansSegments ? make("i", { class: "dot", style: `background:${look.colour(colour)}` }) : null, row.segment_name)],
      ["What", [make("strong", {}, row.action), make("small", {}, row.how),
        row.offer || row.do_not
          ? make("details", {}, make("summary", {}, "More"),
              row.offer ? make("small", {}, `Offer: ${lowerFirst(row.offer)}`) : null,
              row.max_frequency ? make("small", {}, `At most ${row.max_frequency}`) : null,
              row.do_not ? make("small", {}, sentence(row.do_not)) : null)
          : null]],
      ["For how many", [make("span", { class: "figure" }, reach), of ? make("small", {}, of) : null,
        row.channel ? make("small", {}, `by ${row.channel}`) : null]],
      ["Worth after cost", [worthInWords(row), row.cost === null ? null : make("small", {}, `cost ${amount(row.cost)}`)]],
      ["If", [make("span", {}, assumptionInWords(row) || "No value is known, so no worth is told"),
        measurableInWords(row) ? make("small", {}, measurableInWords(row)) : null]],
      ["Watch", row.kpi ?? ""],
    ];
    return columns.filter(([label]) => hasWorth || !["Worth after cost", "If"].includes(label));
  };
  section.append(
    make(
      "div",
      { class: "card table-card" },
      make(
        "table",
        { class: "actions" },
        make("thead", {}, make("tr", {}, cells(rows[0]).map(([h]) => make("th", { scope: "col" }, h)))),
        make(
          "tbody",
          {},
          visible.map((row) =>
            make("tr", {}, cells(row).map(([label, content], n) =>
              make(n ? "td" : "th", { "data-label": label, scope: n ? null : "row" }, make("div", {}, content)))),
          ),
        ),
      ),
      rows.length > longest
        ? make(
            "button",
            {
              type: "button",
              id: "more-actions",
              "aria-expanded": String(showsAllActions),
              onclick: () => {
                showsAllActions = !showsAllActions;
                draw();
              },
            },
            showsAllActions ? "Show fewer" : `Show all ${rows.length}`,
          )
        : null,
    ),
  );
  const notes = [
    countryOf(state) ? "All countries: actions are planned for a whole group." : "",
    plansSegments
      ? DATA.segmentations.length > 1
        ? "A customer is in one segment of each segmentation: do not add up segmentations."
        : ""
      : HAS_ORDERS
        ? "Every customer is in one of these groups. What decides: being new or lapsed, then being at risk, then the segment."
        : "",
    hasReach ? "" : "The data do not say who may be contacted: figures are of everybody in a group.",
    hasWorth ? "" : "What these customers are worth is not known, so the actions are in no order of worth.",
  ].filter(Boolean);
  section.append(make("p", { class: "note" }, notes.join(" ")));
  return section;
}

function headline(rows) {
  const best = rows.find((r) => (r.net_worth ?? 0) > 0);
  if (!best) return null;
  const [, reach] = reachInWords(best);
  return [
    "Start with ",
    make("strong", {}, lowerFirst(best.action)),
    ` for ${best.segment_name}: ${reach}, worth ${amount(best.net_worth)} after cost if ` +
      `${share(best.uplift)} of their ${STAKES[best.value_at_stake] ?? "value"} is won ` +
      `(${best.uplift_status === "measured" ? "measured by campaigns" : "an assumption"}).`,
  ];
}

// ---- tiles and segments -------------------------------------------------------------

function drawTiles(state) {
  return make(
    "section",
    { id: "figures", "aria-labelledby": "figures-title" },
    make("h2", { id: "figures-title" }, `Key figures: ${whoIsShown(state)}`),
    make(
      "dl",
      { class: "tiles" },
      keyFigures(state).map((tile) =>
        make(
          "div",
          { class: "card tile", id: `figure-${tile.id}` },
          make("dt", {}, tile.label),
          make("dd", {}, tile.value),
          tile.note ? make("dd", { class: "small" }, tile.note) : null,
        ),
      ),
    ),
  );
}

function drawSegments(state) {
  const { status, reason, algorithm } = state.segmentation;
  const look = lookOf(innerWidth);
  const cards = segmentFigures(state)
    .filter((f) => (state.segment < 0 ? f.customers > 0 : f.index === state.segment))
    .map((f) =>
      make(
        "article",
        { class: "card segment", style: `border-left-color:${look.colour(f.colour)}` },
        make("h3", {}, f.name),
        make("p", { class: "muted" },
          `${number(f.customers)} customers, ${share(f.customer_share)}` +
          (f.revenue_share === null ? "" : `; ${share(f.revenue_share)} of revenue`)),
        f.description ? make("p", {}, f.description) : null,
        f.rule ? make("p", {}, make("b", {}, "Rule of thumb: "), `${f.rule}.`) : null,
        countryOf(state) ? make("p", { class: "note" }, "In all countries:") : null,
        differences(state, f.index).length
          ? make("ul", {}, differences(state, f.index).map((d) =>
              make("li", {}, `${d.feature.label}: ${inUnit(d.value, d.feature.unit)} ` +
                `against ${inUnit(d.feature.mean_of_all, d.feature.unit)} of all`)))
          : null,
      ),
    );
  return make(
    "details",
    { class: "segments", id: "segments", open: state.segment >= 0 || (cards.length <= 7 && innerWidth > PHONE) },
    make("summary", {}, state.segment < 0 && cards.length > 1 ? `The ${cards.length} segments in words` : "The segment in words"),
    !["ok", null].includes(status)
      ? make("p", {}, make("b", {}, "No segments were formed: "),
          status.replaceAll("_", " "), algorithm !== "rules" && reason ? ` (${reason}).` : ".")
      : null,
    state.segmentation.description ? make("p", { class: "note" }, state.segmentation.description) : null,
    make("div", { class: "segment-cards" }, cards),
  );
}

// ---- cards of charts ----------------------------------------------------------------

function cardOf(chart) {
  if (chart.card) return chart.card;
  const part = (name, tag = "p", attributes = {}) => make(tag, { class: name, ...attributes });
  chart.parts = {
    title: part("title", "h3", { id: `${chart.id}-title` }),
    words: part("words"),
    controls: part("controls", "div"),
    plot: part("plot", "div", { role: "img", id: `${chart.id}-plot` }),
    note: part("note"),
    table: part("numbers", "div", { tabindex: "0", role: "region" }),
  };
  const details = make(
    "details",
    { class: "data", ontoggle: () => details.open && fillTable(chart) },
    make("summary", {}, "Show the numbers"),
    chart.parts.table,
  );
  chart.details = details;
  const button = (label, action) =>
    make("button", { type: "button", "aria-label": `${label}: ${chart.title}`, onclick: action }, label);
  chart.card = make(
    "article",
    { class: "card chart", id: chart.id, style: `flex-grow:${chart.grow}`, "aria-labelledby": `${chart.id}-title` },
    chart.parts.title,
    chart.parts.words,
    chart.parts.controls,
    make("div", { class: "scroll" }, chart.parts.plot),
    chart.parts.note,
    make("div", { class: "tools" }, details,
      make("span", { class: "saves" },
        button("Save PNG", () => savePicture(chart)),
        button("Save CSV", () =>
          saveText(`${fileName(chart)}.csv`, asCsv(chart.drawn.columns, chart.drawn.rows), "text/csv")))),
  );
  return chart.card;
}

function fileName(chart) {
  return [DATA.input, chart.id, DATA.as_of_date].filter(Boolean).join("_").replace(/[^\w-]+/g, "_");
}

function fillTable(chart) {
  const { columns, rows } = chart.drawn;
  const cell = (value) =>
    value === null || value === undefined ? "" : typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 4) : value;
  chart.parts.table.replaceChildren(
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, columns.map((c) => make("th", { scope: "col" }, c)))),
      make("tbody", {}, rows.slice(0, LONGEST_TABLE).map((row) => make("tr", {}, row.map((v) => make("td", {}, String(cell(v))))))),
    ),
    rows.length > LONGEST_TABLE ? make("p", { class: "note" }, `The first ${LONGEST_TABLE} of ${number(rows.length)} rows; all are in the CSV.`) : "",
  );
  chart.parts.table.setAttribute("aria-label", `Numbers of ${chart.title}`);
}

async function savePicture(chart) {
  const { data, layout } = chart.parts.plot;
  const size = { width: chart.parts.plot.offsetWidth, height: layout.height + 44 };
  const href = await Plotly.toImage(
    {
      data,
      layout: {
        ...layout,
        ...size,
        paper_bgcolor: lookOf(size.width).card,
        title: { text: `<b>${plotText(chart.parts.title.textContent)}</b>`, x: 0.01, xanchor: "left", y: 0.99, yanchor: "top", font: { size: 15 } },
        margin: { ...layout.margin, t: layout.margin.t + 44 },
      },
    },
    { format: "png", scale: 2, ...size },
  );
  save(`${fileName(chart)}.png`, href);
}

function drawChart(chart, figure, state) {
  const { parts } = chart;
  chart.drawn = figure;
  parts.title.textContent = figure.title ?? chart.title;
  parts.words.textContent = figure.words;
  replaceKeepingFocus(parts.controls, ...(chart.controls?.(state) ?? []));
  parts.controls.hidden = !parts.controls.childElementCount;
  parts.plot.setAttribute("aria-label", `${parts.title.textContent}. ${figure.words}`);
  if (chart.details.open) fillTable(chart);
  const width = plotWidth(chart, figure);
  const isWider = width > plotRoom(chart, width);
  parts.note.textContent = [isWider ? "Scroll the chart sideways for more." : "", figure.note].filter(Boolean).join(" ");
  parts.note.hidden = !parts.note.textContent;
  const look = lookOf(width);
  parts.plot.style.width = `${width}px`;
  parts.plot.hidden = !figure.traces.length; // axes of nothing are no chart
  const clickable = figure.traces.some((t) => t.customdata !== undefined && t.type !== "sankey") &&
    ["shares", "profiles", "map", "own", "risk"].includes(chart.id);
  Plotly.react(
    parts.plot,
    figure.traces,
    {
      font: { family: FONT, size: 12, color: look.ink },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: look.card, bordercolor: look.grid, font: { family: FONT, color: look.ink, size: 12 }, align: "left" },
      ...figure.layout,
      annotations: figure.annotations ?? [],
      width,
    },
    PLOTLY,
  );
  if (clickable && !chart.listens) {
    chart.listens = true;
    parts.plot.on("plotly_click", ({ points: [point] }) => {
      const index = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
      chooseSegment(readState(), index);
    });
  }
}

// A chart that needs more room than a telephone has scrolls within its card.
function plotWidth(chart, figure) {
  const room = chart.parts.plot.parentElement.clientWidth;
  return Math.max(room, figure.minWidth ?? 0);
}

// ---- footer -------------------------------------------------------------------------

function simpleTable(head, rows) {
  return make(
    "div",
    { class: "scroll" },
    make("table", {}, make("thead", {}, make("tr", {}, head.map((h) => make("th", { scope: "col" }, h)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map((value) => make("td", {}, value)))))),
  );
}

function drawFooter() {
  const { quality, health } = DATA;
  const blocks = [];
  if (quality) {
    const sum = (name) => quality.tables.reduce((total, t) => total + t[name], 0);
    blocks.push(
      make(
        "section",
        { class: "card", id: "quality" },
        make("h2", {}, "Data quality"),
        make("p", {}, `${number(sum("used"))} rows were used, ${number(sum("quarantined"))} were put aside. Nothing is lost: each row put aside has its reason.`),
        simpleTable(["Table", "Rows used", "Put aside"], quality.tables.map((t) => [inWords(t.table), number(t.used), number(t.quarantined)])),
        quality.reasons.length
          ? make("details", {}, make("summary", {}, "Why rows were put aside"),
              simpleTable(["Table", "Reason", "Rows"], quality.reasons.map((r) => [inWords(r.table), inWords(r.reason), number(r.rows)])))
          : null,
      ),
    );
  }
  if (health) {
    blocks.push(
      make(
        "section",
        { class: "card", id: "health" },
        make("h2", {}, "Model health"),
        health.map((h) =>
          make(
            "div",
            { class: "model" },
            make("p", {}, make("b", {}, inWords(h.segmentation === "rfm" ? "RFM" : h.segmentation)),
              h.model_version === null ? "" : ` version ${h.model_version} `,
              make("span", { class: `badge ${h.status === "healthy" ? "good" : "look"}` }, inWords(h.status))),
            make("p", { class: "note" }, sentence(inWords(h.status_reason ?? "")),
              h.what_to_do && h.status !== "healthy" ? ` To do: ${sentence(lowerFirst(h.what_to_do))}` : ""),
          ),
        ),
      ),
    );
  }
  byId("footer").replaceChildren(
    make("div", { class: "row" }, blocks),
    make("p", { class: "note" },
      `Published set ${DATA.set}${DATA.as_of_date ? `, data as of ${longDate(DATA.as_of_date)}` : ""}. ` +
      "This page carries totals and samples without customer ids, loads nothing and sends nothing. " +
      "All figures are in the tables beside it."),
  );
}

// ---- drawing ------------------------------------------------------------------------

let skeleton = null;

function build() {
  if (skeleton) return skeleton;
  skeleton = { actions: make("div"), tiles: make("div"), rows: {}, sections: [] };
  const main = byId("main");
  main.append(skeleton.actions, skeleton.tiles);
  for (const { title, lead, rows } of SECTIONS) {
    const section = make("section", { class: "part" }, make("h2", {}, title), lead ? make("p", { class: "lead" }, lead) : null);
    for (const name of rows) {
      skeleton.rows[name] = make("div", { class: "row", id: `row-${name}` });
      section.append(skeleton.rows[name]);
    }
    skeleton.sections.push(section);
  }
  return skeleton;
}

function draw() {
  const state = readState();
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  const { actions, tiles, rows, sections } = build();
  const customers = sumsOf(state.segmentation).customers;
  byId("subtitle").textContent = [
    DATA.input.replaceAll("_", " "),
    DATA.as_of_date ? `as of ${longDate(DATA.as_of_date)}` : null,
    `${number(customers)} customers`,
  ].filter(Boolean).join(" · ");
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
  drawFilters(state);
  replaceKeepingFocus(actions, drawActions(state));
  tiles.replaceChildren(drawTiles(state));

  // A chart that the choice has nothing for is not on the page.
  const width = byId("main").clientWidth;
  const figures = new Map();
  for (const chart of CHARTS) {
    const room = plotRoom(chart, width / 2);
    const figure = chart.draw(state, lookOf(room));
    if (figure) figures.set(chart, { room, figure });
  }
  for (const [name, row] of Object.entries(rows)) {
    const cards = CHARTS.filter((c) => c.row === name && figures.has(c)).map(cardOf);
    if (name === "segments") row.replaceChildren(drawSegments(state));
    else if (cards.length !== row.childElementCount || cards.some((c, n) => row.children[n] !== c)) {
      row.replaceChildren(...cards);
    }
    row.hidden = !row.childElementCount;
  }
  for (const section of sections) {
    const isShown = [...section.querySelectorAll(":scope > .row")].some((row) => !row.hidden);
    if (isShown && !section.isConnected) byId("main").append(section);
    if (!isShown) section.remove();
  }
  // Only now have the cards their places, and so their widths.
  for (const [chart, { room, figure }] of figures) {
    const look = lookOf(plotRoom(chart, width));
    drawChart(chart, look.width === room ? figure : chart.draw(state, look), state);
  }
  const [first] = keyFigures(state);
  byId("said").textContent = `${whoIsShown(state)}, ${lowerFirst(state.segmentation.label)}: ${first.value} customers.`;
}

function plotRoom(chart, otherwise) {
  return (chart.card?.isConnected && chart.parts.plot.parentElement.clientWidth) || otherwise;
}

function start() {
  byId("title").textContent = "Customer segments";
  drawFooter();
  draw();
  addEventListener("hashchange", draw);
  let width = innerWidth;
  let waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 120);
  });
  colourScheme.addEventListener("change", draw);
  byId("theme").addEventListener("click", () => {
    theme = isDark() ? "light" : "dark";
    storedTheme(theme);
    draw();
  });
  byId("share").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      byId("share").textContent = "Copied";
    } catch {
      byId("share").textContent = "Copy it from the address bar";
    }
    setTimeout(() => (byId("share").textContent = "Copy link to this view"), 3000);
  });
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault(); // the address after # is the choice
    byId("main").focus();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose({ segment: EVERYBODY });
  });
  const print = matchMedia("print");
  print.addEventListener("change", () => {
    isPrinting = print.matches;
    draw();
  });
  document.documentElement.dataset.drawn = "yes";
}

start();
