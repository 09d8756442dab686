// Rows as a table of a page, and numbers as people read them.

import { make } from "/static/page.js";

export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (bytes >= 1000 && step < units.length - 1) { bytes /= 1000; step += 1; }
  return `${step ? bytes.toPrecision(3) : bytes} ${units[step]}`;
}

/** A value as text: doubles to 10 digits, single precision to the 7 it has. */
function shown(value, datatype) {
  if (value === null) return "";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(datatype.startsWith("float") ? 7 : 10)));
}

const isNumber = (column) => /^(u?int|short|long|float|double|unsignedByte)/.test(column.datatype) && !column.arraysize;

/** The head and the body of a table that shows an answer in JSON. */
export function tableParts(answer) {
  const head = make("tr", {}, ...answer.metadata.map((column) =>
    make("th", { scope: "col", title: column.description || null, class: isNumber(column) ? "number" : null }, column.name, make("span", { class: "unit" }, column.unit || "\u00a0"))));
  const rows = answer.data.map((row) => make("tr", {}, ...row.map((value, i) =>
    make("td", { class: isNumber(answer.metadata[i]) ? "number" : null }, shown(value, answer.metadata[i].datatype)))));
  return [make("thead", {}, head), make("tbody", {}, ...rows)];
}
