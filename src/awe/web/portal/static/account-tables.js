// The account's own tables: those that are there, those that can be restored, and files that become some.

import { ask, byId, button, change, make, moment, number, submits, sure } from "/static/page.js";

const PIECE_BYTES = 8 << 20;
const FORMATS = [["CSV", "csv"], ["FITS", "fits"], ["VOTable", "votable"], ["Parquet", "parquet"]];

const path = (name) => `/api/tables/${encodeURIComponent(`mydb.${name}`)}`;

async function done(act, said) {
  try {
    await act();
    await showTables();
    byId("tables-said").textContent = said;
  } catch (error) {
    byId("tables-said").textContent = error.message;
  }
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let power = 0;
  for (; bytes >= 1000 && power < units.length - 1; power += 1) bytes /= 1000;
  return `${number.format(power ? Number(bytes.toPrecision(3)) : bytes)} ${units[power]}`;
}

function tableRow(table) {
  const drop = button("Drop", async () => {
    if (await sure(`Drop ${table.name}?`, "For some time it can be restored from here.", "Drop")) {
      await done(() => change("DELETE", path(table.name)), `${table.name} is dropped.`);
    }
  }, { class: "second", "aria-label": `Drop ${table.name}` });
  const links = FORMATS.flatMap(([title, form]) => [" ", make("a", {
    href: `${path(table.name)}/rows?format=${form}`, download: `${table.name}.${form}`, "aria-label": `${table.name} as ${title}`,
  }, title)]);
  const facts = [`${number.format(table.rows)} rows`, size(table.bytes), table.ra && `positions in ${table.ra}, ${table.dec}`,
    `version ${table.version}`, moment(table.created)];
  return make("li", {}, make("div", { class: "row-text" }, make("strong", {}, table.name), " ", table.title,
    make("p", {}, facts.filter(Boolean).join(" · ")), make("p", {}, "Download as", ...links)), drop);
}

function droppedRow(table) {
  const restore = button("Restore", () => done(() => change("POST", `${path(table.name)}/restore`, { version: table.version }),
    `${table.name} is back.`), { class: "second", "aria-label": `Restore ${table.name}` });
  return make("li", {}, make("div", { class: "row-text" }, make("strong", {}, table.name), " ", make("span", { class: "tag" }, "dropped"),
    make("p", {}, `${number.format(table.rows)} rows · ${size(table.bytes)} · dropped ${moment(table.ended)}`)), restore);
}

/** Show the tables. */
export async function showTables() {
  const [{ tables }, { tables: dropped }] = await Promise.all([ask("/api/tables", { of: "own" }), ask("/api/tables", { of: "dropped" })]);
  byId("table-list").replaceChildren(...tables.map(tableRow), ...dropped.map(droppedRow));
  byId("tables-said").textContent = tables.length || dropped.length ? "" : "You have no table yet.";
}

/** Send a file in pieces; one that began to come before, from whichever browser or program, goes on where it stands. */
async function sent(file, tell) {
  const { uploads } = await ask("/api/uploads");
  const same = (one) => one.file === file.name && one.size === file.size && one.phase === "receiving" && !one.sha256;
  let upload = uploads.find(same) ?? await change("POST", "/api/uploads", { file: file.name, size: file.size });
  while (upload.offset < file.size) {
    tell(`${Math.floor((100 * upload.offset) / file.size)} % of ${file.name} are there.`);
    const piece = file.slice(upload.offset, upload.offset + Math.min(PIECE_BYTES, upload.piece_bytes));
    const answer = await fetch(`/api/uploads/${upload.id}?offset=${upload.offset}`, { method: "PUT", body: piece });
    const body = await answer.json();
    if (body.error) throw new Error([body.error.message, body.error.hint].filter(Boolean).join("\n"));
    upload = body;
  }
  return upload;
}

submits(byId("table-form"), async (fields) => {
  const [file, said] = [fields.table_file.files[0], byId("load-said")];
  const tell = (text) => { said.textContent = text; };
  const { id } = await sent(file, tell);
  tell(`${file.name} is being read.`);
  let upload = await change("POST", `/api/uploads/${id}/table`, { table: `mydb.${fields.table_name.value}` });
  while (upload.phase === "loading") upload = await ask(`/api/uploads/${id}`, { wait: 20 });
  tell("");
  if (upload.error) throw new Error([upload.error.message, upload.error.hint].filter(Boolean).join("\n"));
  byId("table-form").reset();
  await showTables();
  byId("tables-said").textContent = [`${file.name} is a table now.`, ...upload.notes].join("\n");
});
