// What one chooses with, at the top and in the cards.

const byId = (id) => document.getElementById(id);

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
