// Each chart in a card: its words, its numbers, and saving both.

const PLOTLY = { displayModeBar: false, responsive: false, displaylogo: false, typesetMath: false };
const LONGEST_TABLE = 200;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

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
