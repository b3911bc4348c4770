// The colours of light and dark, and what follows from the width of a chart.

const NARROW = 440;

const colourScheme = matchMedia("(prefers-color-scheme: dark)");
let isPrinting = false;

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
