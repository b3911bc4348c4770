// The page itself: which charts there are, and drawing them for a choice.

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
