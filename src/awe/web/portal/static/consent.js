// A tool of the site wants to use somebody's account: say what it asks for, and send them back with what they decide.

import { ask, byId, change, showArchive } from "/static/page.js";
import { showScopes } from "/static/scopes.js";

const asked = new URLSearchParams(location.search);

function fail(error) {
  if (error.status === 401) {
    location.replace(`/auth?${new URLSearchParams({ next: location.pathname + location.search })}`);
    return;
  }
  byId("failed").textContent = error.message;
  byId("failed").hidden = false;
}

async function decide(decision) {
  for (const one of [byId("allow"), byId("deny")]) one.disabled = true;
  const { location: back } = await change("POST", "/oauth/consent", new URLSearchParams([...asked, ["decision", decision]]));
  location.replace(back);
}

async function show() {
  const told = await ask("/oauth/consent", asked);
  byId("heading").textContent = `Allow ${told.title}?`;
  byId("tool").textContent = told.title;
  byId("site").textContent = told.site;
  byId("name").textContent = told.user;
  showScopes(byId("asked"), told.scopes);
  for (const decision of ["allow", "deny"]) {
    byId(decision).addEventListener("click", () => decide(decision).catch(fail));
  }
  byId("question").hidden = false;
  byId("heading").focus();
}

Promise.all([showArchive("Allow a tool"), show()]).catch(fail);
