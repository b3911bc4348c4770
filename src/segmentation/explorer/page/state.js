// What is chosen: in the address after #, so that a view can be sent to somebody.

const DATA = JSON.parse(document.getElementById("data").textContent);
const EVERYBODY = "";

// The choice that the address asks for; what is not in the data is not chosen.
function readState() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = (value, values, otherwise) => (values.includes(value) ? value : otherwise);
  const segmentation =
    DATA.segmentations.find((s) => s.id === asked.get("segmentation")) ??
    DATA.segmentations[0];
  const months = DATA.migration?.[segmentation.id]?.months ?? [];
  return {
    segmentation,
    segment: segmentation.segments.findIndex((s) => s.id === asked.get("segment")),
    country: DATA.countries.indexOf(asked.get("country")),
    month: known(asked.get("month"), months, months[months.length - 1] ?? null),
    moves: known(asked.get("moves"), ["all", "behaviour", "ageing", "everybody"], "all"),
    compare: known(asked.get("compare"), curveKinds(), "all"),
    actions: known(
      asked.get("actions"),
      ["next", "segments"],
      segmentation.is_primary ? "next" : "segments",
    ),
  };
}

// Change the choice; the page follows the address.
function choose(changes) {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(changes)) {
    if (value === EVERYBODY || value === null) asked.delete(name);
    else asked.set(name, value);
  }
  location.hash = asked.toString();
}

function chooseSegment(state, index) {
  const segment = state.segmentation.segments[index];
  choose({ segment: state.segment === index ? EVERYBODY : segment.id });
}

const curveKinds = () => [...new Set((DATA.second_purchase ?? []).map((c) => c.kind))];
const segmentOf = (state) => state.segmentation.segments[state.segment] ?? null;
const countryOf = (state) => DATA.countries[state.country] ?? null;

// Who is shown, in words: "High-value customers in Germany".
function whoIsShown(state) {
  const segment = segmentOf(state)?.name ?? "All customers";
  const country = countryOf(state);
  return country ? `${segment} in ${country}` : segment;
}
