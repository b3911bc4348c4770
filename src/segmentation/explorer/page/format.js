"use strict";
// Numbers and names as people read them, and text from the data as text.

const LOCALE = "en-GB";
const NOT_KNOWN = "not known";

// Making a formatter takes longer than a thousand numbers with it.
const formatters = new Map();

function formatter(digits, currency) {
  const key = `${digits} ${currency}`;
  if (!formatters.has(key)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    if (currency) Object.assign(options, { style: "currency", currency });
    formatters.set(key, new Intl.NumberFormat(LOCALE, options));
  }
  return formatters.get(key);
}

function number(value, digits = 0) {
  if (value === null || value === undefined) return NOT_KNOWN;
  return formatter(digits).format(value);
}

// As many digits as a reader needs: 1,234 and 12.3 and 0.12.
function rounded(value) {
  if (value === null || value === undefined) return NOT_KNOWN;
  const size = Math.abs(value);
  return number(value, size >= 100 || Number.isInteger(value) ? 0 : size >= 1 ? 1 : 2);
}

function amount(value, digits = 0) {
  if (value === null || value === undefined) return NOT_KNOWN;
  const currency = DATA.currency;
  if (!currency) return number(value, digits);
  try {
    return formatter(digits, currency).format(value);
  } catch {
    return `${number(value, digits)}\u00a0${currency}`; // no code that Intl knows
  }
}

function share(value, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return NOT_KNOWN;
  return `${number(100 * value, digits)}\u00a0%`;
}

// A value of a feature in its own unit.
function inUnit(value, unit) {
  if (value === null || value === undefined) return NOT_KNOWN;
  if (unit === "currency") return amount(value, Math.abs(value) < 10 ? 2 : 0);
  if (unit === "share") return share(value);
  if (["number", "days", "orders"].includes(unit)) return rounded(value);
  return `${rounded(value)} ${unit}`;
}

function asDate(text, options) {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day)).toLocaleDateString(LOCALE, {
    timeZone: "UTC",
    ...options,
  });
}

const longDate = (text) => asDate(text, { day: "numeric", month: "long", year: "numeric" });
const longMonth = (text) => asDate(text, { month: "long", year: "numeric" });
const shortMonth = (text) => asDate(text, { month: "short", year: "numeric" });

function inWords(name) {
  const text = String(name).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// "Spend" to "spend", but RFM stays RFM.
const lowerFirst = (text) =>
  /^.[A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);

function sentence(text) {
  const words = String(text ?? "").trim();
  if (!words) return "";
  return words.charAt(0).toUpperCase() + words.slice(1).replace(/\.*$/, "") + ".";
}

// Plotly reads a little HTML in its texts: what comes from the data shows as it is.
function plotText(text) {
  return String(text ?? "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

// Break a name into lines of so many letters, for labels.
function plotLines(text, width) {
  const lines = [""];
  for (const word of String(text).split(/\s+/)) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map(plotText).join("<br>");
}

// An element with its attributes and children; strings become text, never HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ""));
  return element;
}

// What a spreadsheet would run as a formula gets an apostrophe in front.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function asCsv(columns, rows) {
  return [columns, ...rows].map((row) => row.map(csvCell).join(",") + "\r\n").join("");
}

function save(name, href) {
  const link = make("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

function saveText(name, text, type) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  save(name, href);
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
