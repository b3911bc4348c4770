// Figures of a choice, added up from the sums by segmentation, segment and country.

const SUMS = [
  "customers",
  "orders",
  "revenue",
  "order_net_amount",
  "value_at_risk",
  "churn_sum",
  "churn_count",
  "high_value_at_risk",
];
const HAS_ORDERS = (DATA.cells?.orders ?? []).some((value) => value !== null);

// Sums over the cells; null where nothing is known, as in the published tables.
function sumsOf(segmentation, { segment = -1, country = -1 } = {}) {
  const cells = DATA.cells;
  const sums = Object.fromEntries(SUMS.map((name) => [name, null]));
  if (!cells) return sums;
  for (let row = 0; row < cells.segmentation.length; row++) {
    if (cells.segmentation[row] !== segmentation.id) continue;
    if (segment >= 0 && cells.segment[row] !== segment) continue;
    if (country >= 0 && cells.country[row] !== country) continue;
    for (const name of SUMS) {
      const value = cells[name][row];
      if (value !== null) sums[name] = (sums[name] ?? 0) + value;
    }
  }
  sums.customers ??= 0;
  return sums;
}

const ratio = (part, whole) => (part === null || !whole ? null : part / whole);

// One entry per segment, of the chosen country.
function segmentFigures(state) {
  const all = sumsOf(state.segmentation, { country: state.country });
  return state.segmentation.segments.map((segment, index) => {
    const sums = sumsOf(state.segmentation, { segment: index, country: state.country });
    return {
      ...segment,
      ...sums,
      index,
      customer_share: ratio(sums.customers, all.customers),
      revenue_share: ratio(sums.revenue, all.revenue),
    };
  });
}

// The tiles on top: label, value and what it is a part of.
function keyFigures(state) {
  const chosen = { segment: state.segment, country: state.country };
  const sums = sumsOf(state.segmentation, chosen);
  const country = countryOf(state);
  const isPart = state.segment >= 0 || country !== null;
  const whole = sumsOf(state.segmentation, state.segment >= 0 ? { country: state.country } : {});
  const of = state.segment >= 0 && country ? `in ${country}` : "of all";
  const part = (name) =>
    isPart && ratio(sums[name], whole[name]) !== null
      ? `${share(ratio(sums[name], whole[name]))} ${of}`
      : "";
  const tiles = [
    { id: "customers", label: "Customers", value: number(sums.customers), note: part("customers") },
  ];
  if (!HAS_ORDERS) return [...tiles, ...featureTiles(state)];
  tiles.push(
    { id: "revenue", label: "Net revenue", value: amount(sums.revenue), note: part("revenue") },
    {
      id: "average_order",
      label: "Average order",
      value: amount(ratio(sums.order_net_amount, sums.orders), 2),
    },
    {
      id: "orders_per_customer",
      label: "Orders per customer",
      value: number(ratio(sums.orders, sums.customers), 2),
    },
  );
  if (sums.value_at_risk !== null) {
    tiles.push(
      {
        id: "value_at_risk",
        label: "Value at risk",
        value: amount(sums.value_at_risk),
        note: `${number(sums.high_value_at_risk)} high-value customers likely to leave`,
      },
      {
        id: "churn",
        label: DATA.horizon_days ? `Likely silent for ${DATA.horizon_days} days` : "Likely silent",
        value: share(ratio(sums.churn_sum, sums.churn_count)),
        note: "expected share of customers",
      },
    );
  }
  return tiles;
}

// Where there are no orders: the means of what the segments are made of.
function featureTiles(state) {
  const profile = DATA.profiles?.[state.segmentation.id];
  if (!profile) return [];
  const values = profileValues(state);
  return profile.features
    .map((feature, index) => ({ feature, index }))
    .filter(({ feature }) => feature.is_used)
    .slice(0, 4)
    .map(({ feature, index }) => ({
      id: feature.id,
      label: `Mean ${lowerFirst(feature.label)}`,
      value: inUnit(
        state.segment < 0 ? feature.mean_of_all : values[state.segment]?.[index]?.value,
        feature.unit,
      ),
      note: state.segment < 0 ? "" : `${inUnit(feature.mean_of_all, feature.unit)} of all`,
    }));
}

// Means by segment and feature with how far they are from everybody, in spreads.
function profileValues(state) {
  const profile = DATA.profiles[state.segmentation.id];
  const values = state.segmentation.segments.map(() => []);
  const spreads = profile.features.map(() => []);
  profile.segment.forEach((segment, row) => {
    const feature = profile.feature[row];
    const value = profile.mean_value[row];
    const effect = profile.effect_size[row];
    values[segment][feature] = { value, effect };
    if (effect) {
      spreads[feature].push((value - profile.features[feature].mean_of_all) / effect);
    }
  });
  if (state.country < 0 || !profile.by_country) return values;
  const inCountry = state.segmentation.segments.map(() => []);
  const means = profile.by_country;
  means.segment.forEach((segment, row) => {
    if (means.country[row] !== state.country) return;
    const feature = means.feature[row];
    const spread = spreads[feature].sort((a, b) => a - b)[spreads[feature].length >> 1];
    const distance = means.mean_value[row] - profile.features[feature].mean_of_all;
    inCountry[segment][feature] = {
      value: means.mean_value[row],
      effect: spread ? distance / spread : null,
    };
  });
  return inCountry;
}

// What sets a segment apart most, for its card.
function differences(state, index, count = 3) {
  const profile = DATA.profiles?.[state.segmentation.id];
  if (!profile) return [];
  const all = { ...state, country: -1 };
  return (profileValues(all)[index] ?? [])
    .map((cell, feature) => ({ ...cell, feature: profile.features[feature] }))
    .filter((cell) => cell.effect)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, count);
}
