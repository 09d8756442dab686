// The page of an archive: what it holds, a search around a position, how to use it from elsewhere.
// It talks to /api and the VO services of its own origin and to nothing else; samp.js says what else it may reach.

import { ask, byId, copies, make, number, showArchive, showWho } from "/static/page.js";
import { size, tableParts } from "/static/rows.js";
import { atHome, hubIsThere, send } from "/static/samp.js";

const SHOWN_ROWS = 200;
const SHOWN_IMAGES = 60;
const schemas = (names) => [...new Set(names.map((name) => name.split(".")[0]))];
const plural = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

// What is published

async function showStatus() {
  const status = await showArchive("");
  byId("headline").textContent = status.title === "awe" ? "A sky to search" : status.title;
  byId("description").textContent = status.description;
  const counts = [[status.tables, "tables"], [status.rows, "rows"], [status.datasets, "images and spectra"]];
  byId("counts").replaceChildren(...counts.map(([n, what]) =>
    make("div", {}, make("dt", {}, what), make("dd", {}, number.format(n)))));
  if (status.simulated.length) {
    const notice = byId("simulated");
    notice.replaceChildren(make("strong", {}, "Simulated data. "),
      `${schemas(status.simulated).join(", ")}: made by a program, not observed. Use them to try things, not for science.`);
    notice.hidden = false;
  }
  byId("footer").textContent = [`awe ${status.version}`, status.authority, status.contact].filter(Boolean).join(" · ");
}

function tableEntry(table) {
  const box = make("div", { class: "inside" }, make("p", { class: "message" }, "Loading the columns…"));
  const entry = make("details", {},
    make("summary", {},
      make("span", { class: "name" }, table.full_name),
      make("span", { class: "size" }, table.kind === "view" ? "a view" : plural(table.rows, "row", "rows")),
      table.metadata.simulated ? make("span", { class: "tag" }, "simulated") : null,
      make("span", { class: "about" }, table.title || table.description || "")),
    box);
  entry.addEventListener("toggle", () => { if (entry.open) showColumns(table, box); }, { once: true });
  return entry;
}

async function showColumns(table, box) {
  try {
    const about = await ask(`/api/tables/${encodeURIComponent(table.full_name)}`);
    const said = Object.entries(about.metadata).map(([name, value]) => make("p", { class: "help" }, `${name}: ${value}`));
    const links = make("p", { class: "links" });
    if (table.ra) links.append(make("a", { href: `/scs/${table.full_name}?RA=187.7059&DEC=12.3911&SR=0.02` }, "cone search (VOTable)"));
    links.append(make("a", { href: `/tap/tables/${table.full_name}` }, "description (VOSI)"));
    const head = make("tr", {}, ...["Column", "Type", "Unit", "UCD", "Description"].map((h) => make("th", { scope: "col" }, h)));
    const rows = about.columns.map((column) => make("tr", {},
      make("td", {}, column.name), make("td", {}, column.datatype + (column.arraysize && column.datatype !== "char" ? `[${column.arraysize}]` : "")),
      make("td", {}, column.unit), make("td", {}, column.ucd), make("td", { class: "wrap" }, column.description)));
    const columns = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
    box.replaceChildren(...(table.title && table.description ? [make("p", {}, table.description)] : []), ...said, links,
      make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Columns of ${table.full_name}` }, columns));
  } catch (error) {
    box.replaceChildren(make("p", { class: "message failed" }, error.message));
  }
}

async function showPublished() {
  const [{ tables }, { collections }] = await Promise.all([ask("/api/tables"), ask("/api/collections")]);
  byId("tables").replaceChildren(...tables.map(tableEntry));
  byId("collections").replaceChildren(...collections.map((one) => make("li", {},
    make("strong", {}, one.name), ` · ${plural(one.datasets, "dataset", "datasets")}, ${size(one.bytes)} `,
    one.metadata.simulated ? make("span", { class: "tag" }, "simulated") : null,
    make("div", { class: "about" }, one.metadata.title || one.metadata.description || ""))));
  const empty = [tables.length ? "" : "No tables yet: awe publish table NAME FILES.",
    collections.length ? "" : "No images yet: awe publish images NAME FOLDER."].filter(Boolean);
  byId("published-message").textContent = empty.join(" ");
  const searchable = tables.filter((table) => table.ra && table.full_name.toLowerCase() !== "ivoa.obscore");
  byId("table").replaceChildren(...searchable.map((table) => make("option", { value: table.full_name }, table.full_name)),
    make("option", { value: "" }, "images only"));
  // the one that says most is searched unless another one is chosen
  const largest = searchable.reduce((most, table) => (most && most.rows >= table.rows ? most : table), undefined);
  if (largest) byId("table").value = largest.full_name;
  return largest;
}

// The search

const records = (answer) => {
  const names = answer.metadata.map((column) => column.name);
  return answer.data.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value])));
};

// a long name breaks behind an underscore, not within a filter's name
const breakable = (name) => name.split(/(?<=_)/).flatMap((part, i) => (i ? [make("wbr"), part] : [part]));

function imageCard(image, place, cutRadius) {
  const dataset = `/api/datasets/${encodeURIComponent(image.obs_publisher_did)}`;
  const picture = make("div", { class: "picture" });
  const preview = make("img", { src: `${dataset}/preview?size=384`, alt: `Preview of ${image.obs_id}`, loading: "lazy" });
  preview.addEventListener("error", () => picture.replaceChildren("no preview"));
  picture.append(preview);
  const cut = new URLSearchParams({ ID: image.obs_publisher_did, CIRCLE: `${place.ra} ${place.dec} ${cutRadius}` });
  const toAladin = make("button", { type: "button", class: "samp", hidden: "" }, "Send to Aladin or DS9");
  toAladin.addEventListener("click", () => sendBySamp("image.load.fits",
    { url: `${location.origin}${dataset}/file`, name: image.obs_id, "image-id": image.obs_publisher_did }));
  const facts = [image.detector || image.instrument_name, image.spectral_elt,
    image.t_exptime === null ? null : `${Number(image.t_exptime).toPrecision(4)} s`].filter(Boolean);
  return make("li", { class: "card" }, picture, make("div", { class: "text" },
    make("h4", {}, ...breakable(image.obs_id)),
    make("p", {}, facts.join(" · ")),
    make("p", {}, [image.obs_collection, image.target_name].filter(Boolean).join(" · ")),
    make("p", { class: "links" },
      make("a", { href: `/soda/sync?${cut}` }, "Cutout (FITS)"),
      make("a", { href: `${dataset}/file` }, `Whole image${image.access_estsize ? `, ${size(image.access_estsize * 1000)}` : ""}`), toAladin)));
}

// Other programs on this computer

/** Show what sends results to TOPCAT and Aladin: at home if a hub is there, elsewhere without asking first. */
async function showSamp() {
  const usable = !atHome || (await hubIsThere());
  for (const part of document.querySelectorAll(".samp")) part.hidden = !usable;
  byId("samp-rows").hidden = !usable || byId("rows-box").hidden;
}

async function sendBySamp(mtype, parameters) {
  const message = byId("samp-message");
  message.className = "message";
  message.textContent = "Waiting for the hub; it may ask whether this page is allowed…";
  try {
    const names = await send(mtype, parameters);
    message.textContent = `Sent to ${names.join(", ")}.`;
  } catch (error) {
    message.className = "message failed";
    message.textContent = error.message;
  }
}

async function showImages(position, radius, place, radiusDeg) {
  const message = byId("image-message");
  try {
    const answer = await ask("/api/images", { position, radius, max_rows: SHOWN_IMAGES });
    const found = records(answer).sort((a, b) => (b.t_exptime ?? 0) - (a.t_exptime ?? 0));
    byId("image-count").textContent = answer.overflow ? `the first ${found.length}` : String(found.length);
    message.textContent = found.length ? "" : "No image touches this circle.";
    byId("images").replaceChildren(...found.map((image) => imageCard(image, place, radiusDeg || 0.005)));
  } catch (error) {
    message.className = "message failed";
    message.textContent = error.message;
  }
}

async function showRows(table, position, radius, place, radiusDeg) {
  const message = byId("row-message");
  if (!table) { message.textContent = "No catalogue is chosen."; return; }
  try {
    const answer = await ask("/api/cone", { table, position, radius, max_rows: SHOWN_ROWS });
    byId("row-count").textContent = answer.overflow ? `the first ${number.format(answer.data.length)}` : number.format(answer.data.length);
    message.textContent = answer.data.length ? "" : `${table} has nothing in this circle.`;
    if (!answer.data.length) return;
    byId("rows").replaceChildren(...tableParts(answer));
    byId("rows-box").hidden = false;
    const links = ["votable", "fits", "csv", "parquet"].map((format) => {
      const all = new URLSearchParams({ RA: place.ra, DEC: place.dec, SR: radiusDeg, VERB: 3, RESPONSEFORMAT: format });
      return make("a", { href: `/scs/${table}?${all}` }, format === "votable" ? "VOTable" : format === "parquet" ? "Parquet" : format.toUpperCase());
    });
    byId("row-links").replaceChildren("All rows as ", ...links);
    const all = new URLSearchParams({ RA: place.ra, DEC: place.dec, SR: radiusDeg, VERB: 3 });
    byId("samp-rows").firstElementChild.onclick = () => sendBySamp("table.load.votable",
      { url: `${location.origin}/scs/${table}?${all}`, name: table, "table-id": `${location.origin}/${table}` });
  } catch (error) {
    message.className = "message failed";
    message.textContent = error.message;
  }
}

function clearResults() {
  for (const id of ["image-message", "row-message", "samp-message"]) { byId(id).className = "message"; byId(id).textContent = ""; }
  for (const id of ["images", "rows", "row-links", "image-count", "row-count"]) byId(id).replaceChildren();
  byId("rows-box").hidden = byId("samp-rows").hidden = true;
  byId("form-error").hidden = true;
  byId("found").textContent = "";
  for (const id of ["position", "radius"]) byId(id).removeAttribute("aria-invalid");
}

async function search() {
  const position = byId("position").value.trim();
  const radius = byId("radius").value.trim();
  const table = byId("table").value;
  clearResults();
  byId("results").hidden = true;
  byId("progress").textContent = "Searching…";
  byId("go").setAttribute("aria-disabled", "true");
  history.replaceState(null, "", `?${new URLSearchParams({ position, radius, table })}#search`);
  try {
    const place = await ask("/api/position", { text: position, radius });
    byId("results").hidden = false;
    byId("found").textContent = place.kind === "position" ? ""
      : `${place.name}: ${place.ra.toFixed(5)} ${place.dec.toFixed(5)} · ${place.kind} (${place.source})`;
    await Promise.all([showImages(position, radius, place, place.radius), showRows(table, position, radius, place, place.radius)]);
    showSamp();
  } catch (error) {
    byId("form-error").textContent = error.message;
    byId("form-error").hidden = false;
    const wrong = /^radius/.test(error.message) ? "radius" : "position";
    byId(wrong).setAttribute("aria-invalid", "true");
    byId(wrong).focus();
  } finally {
    byId("progress").textContent = "";
    byId("go").removeAttribute("aria-disabled");
  }
}

// Use it from elsewhere

function showSnippets(example) {
  const here = location.origin;
  const table = example?.full_name ?? "schema.table";
  byId("python").textContent = `import awe

sky = awe.connect("${here}")
sky.tables()
rows = sky.cone("${table}", "M87", "1 arcmin")
images = sky.images("M87")
`;
  byId("pyvo").textContent = `import pyvo

tap = pyvo.dal.TAPService("${here}/tap")
rows = tap.search("SELECT TOP 10 * FROM ${table}")
sia = pyvo.dal.SIA2Service("${here}/sia2")
images = sia.search(pos=(187.7059, 12.3911, 0.01))
`;
  const addresses = [["TAP", "/tap"], ["Cone search", `/scs/${table}?`], ["SIA 2.0", "/sia2"], ["SIA 1.0", "/sia?"],
    ["SODA cutouts", "/soda/sync"], ["CasJobs", "/CasJobs/RestApi"], ["Data Lab", "/datalab"], ["OpenAPI", "/api/openapi.json"]];
  byId("addresses").replaceChildren(...addresses.flatMap(([name, path]) => [make("dt", {}, name), make("dd", {}, here + path)]));
}

byId("form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
for (const button of document.querySelectorAll(".example")) {
  button.addEventListener("click", () => { byId("position").value = button.dataset.position; search(); });
}
copies();

showSnippets();
showWho().catch(() => byId("who").replaceChildren());
showStatus().catch((error) => { byId("description").textContent = error.message; });
showPublished().then((largest) => {
  showSnippets(largest);
  const given = new URLSearchParams(location.search);
  if (!given.get("position")) return;
  for (const name of ["position", "radius", "table"]) if (given.get(name) !== null) byId(name).value = given.get(name);
  search();
}).catch((error) => {
  byId("published-message").className = "message failed";
  byId("published-message").textContent = error.message;
});
