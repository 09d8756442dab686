// The API's description, shown: reads /api/openapi.json and lists what can be asked.

import { ask, byId, make, showArchive, showWho } from "/static/page.js";

const typeOf = (schema = {}) => {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).filter((type) => type !== "null").join(" | ");
  return schema.type === "array" ? `${typeOf(schema.items)}, repeatable` : schema.type ?? "";
};

function fieldsOf(operation, document) {
  const body = operation.requestBody?.content?.["application/json"]?.schema?.$ref;
  const model = body ? document.components.schemas[body.split("/").pop()] : null;
  const inBody = Object.entries(model?.properties ?? {}).map(([name, schema]) => ({
    name, in: "body", required: (model.required ?? []).includes(name), description: schema.description ?? "", schema,
  }));
  return [...(operation.parameters ?? []), ...inBody];
}

function show(path, method, operation, document) {
  const fields = fieldsOf(operation, document);
  const rows = fields.map((field) => make("tr", {},
    make("td", {}, field.name + (field.required ? " *" : "")), make("td", {}, field.in), make("td", {}, typeOf(field.schema)),
    make("td", { class: "wrap" }, field.description ?? "")));
  const head = make("tr", {}, ...["Name", "In", "Type", "Description"].map((name) => make("th", { scope: "col" }, name)));
  const table = fields.length
    ? make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Parameters of ${path}` },
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)))
    : make("p", { class: "message" }, "No parameters.");
  return make("details", {},
    make("summary", {}, make("span", { class: "name" }, `${method.toUpperCase()} ${path}`),
      make("span", { class: "about" }, (operation.description || operation.summary || "").replaceAll("``", ""))),
    make("div", { class: "inside" }, table));
}

async function load() {
  const [document_] = await Promise.all([ask("/api/openapi.json"), showArchive("API"), showWho()]);
  byId("description").textContent =
    "Everything this archive answers over HTTP. * marks what is needed. Tokens go into X-Auth-Token or Authorization: Bearer.";
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const group = operation.tags?.[0] ?? "other";
      groups.set(group, [...(groups.get(group) ?? []), show(path, method, operation, document_)]);
    }
  }
  byId("operations").replaceChildren(...[...groups].map(([name, entries]) =>
    make("section", {}, make("h2", {}, name[0].toUpperCase() + name.slice(1)), ...entries)));
}

load().catch((error) => { byId("description").textContent = `The description cannot be read: ${error.message}`; });
