// What is no chart: what to do, key figures, the segments in words, the footer.

const PHONE = 760;
const LONGEST_ACTIONS = { page: 5, phone: 3 };

let showsAllActions = false;

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
