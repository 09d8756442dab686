// A query in SQL: what it would read, and by which engine, before it is run; its rows, and which engine made them, after.

import { byId, change, make, number, showArchive, showWho, submits } from "/static/page.js";
import { size, tableParts } from "/static/rows.js";

const SHOWN_ROWS = 200;
const counted = (n, what) => `${number.format(n)} ${what}${n === 1 ? "" : "s"}`;
const asked = () => ({ query: byId("query").value, lang: byId("lang").value });

/** Say what the query would read; return the engine that would run it. */
async function showEstimate() {
  const told = await change("POST", "/api/estimate", asked());
  const parts = [`Reads ${counted(told.rows, "row")}, ${size(told.bytes)} in ${counted(told.partitions, "file")}`];
  if (told.pairs) parts.push(`makes about ${counted(told.pairs, "pair")}`);
  if (told.gives !== null) {
    const sure = told.gives === told.gives_most;
    parts.push(`gives ${sure ? "at most" : "about"} ${counted(told.gives, "row")}`);
  }
  byId("estimate").textContent = `${parts.join(", ")}, with ${told.engine}${told.why ? `: ${told.why}` : ""}.`;
  byId("readings").replaceChildren(...(told.readings.length > 1 ? told.readings : []).map((one) => make("li", {},
    make("strong", {}, one.table), ` · ${counted(one.rows, "row")}, ${size(one.bytes)} in ${number.format(one.files)} of ${counted(one.of_files, "file")}`)));
  return told.engine;
}

function clear() {
  for (const id of ["estimate", "told"]) byId(id).textContent = "";
  for (const id of ["readings", "rows"]) byId(id).replaceChildren();
  byId("answer").hidden = true;
}

async function run() {
  clear();
  const foreseen = await showEstimate();
  byId("answer").hidden = false;
  byId("told").textContent = `${foreseen} works on it…`;
  const begun = performance.now();
  try {
    let engine = foreseen;
    const hear = (headers) => { engine = headers.get("X-Awe-Engine") ?? foreseen; };
    const answer = await change("POST", "/api/query", { ...asked(), max_rows: SHOWN_ROWS }, hear);
    const seconds = ((performance.now() - begun) / 1000).toPrecision(2);
    const first = answer.overflow ? "The first " : "";
    byId("told").textContent = `${first}${counted(answer.data.length, "row")}, made by ${engine} in ${seconds} s.`;
    byId("rows").replaceChildren(...tableParts(answer));
  } catch (error) {
    byId("answer").hidden = true;
    throw error;
  }
}

submits(byId("form"), run);
byId("ask").addEventListener("click", async () => {
  clear();
  byId("form-error").hidden = true;
  try {
    await showEstimate();
  } catch (error) {
    byId("form-error").textContent = error.message;
    byId("form-error").hidden = false;
  }
});

const given = new URLSearchParams(location.hash.slice(1));
for (const name of ["query", "lang"]) if (given.get(name)) byId(name).value = given.get(name);
showWho().catch(() => byId("who").replaceChildren());
showArchive("Query").catch((error) => { byId("estimate").textContent = error.message; });
