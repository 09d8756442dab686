// What a link opens. Its key stands behind the # of the address: browsers do not send that part, so no log keeps it.

import { ask, button, byId, make } from "/static/page.js";

const headers = { Authorization: `Bearer ${location.hash.slice(1)}` };
const say = (text) => { byId("said").textContent = text; };

async function save(file) {
  say(`Fetching ${file.name}.`);
  const answer = await fetch(file.address, { headers });
  if (!answer.ok) {
    say(`${file.name} cannot be fetched (${answer.status}).`);
    return;
  }
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: file.name });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`${file.name} is fetched.`);
}

async function show() {
  const found = await ask("/api/shared", {}, headers);
  byId("title").textContent = found.title || `${found.kind} ${found.name}`;
  byId("description").textContent = found.description;
  const until = found.expires ? `, until ${new Date(found.expires).toLocaleDateString()}` : "";
  byId("about").textContent = `${found.kind} ${found.name}, shared by ${found.by}${until}.`;
  byId("files").replaceChildren(
    ...found.files.map((file) => make("li", {}, button(`${file.name} (${file.title})`, () => save(file)))),
  );
  say("");
}

show().catch((error) => say(error.message));
