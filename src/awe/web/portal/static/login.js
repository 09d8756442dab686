// Log in. Where this leads then is decided by the service, which lets nobody be led to another site.

import { ask, byId, change, make, revealPasswords, showArchive, submits } from "/static/page.js";

const given = new URLSearchParams(location.search);
const next = given.get("next") ?? "/";
byId("next").value = next;

async function showEntrance() {
  const ways = await ask("/api/login", { next });
  byId("register").hidden = ways.registration === "closed";
  byId("register").querySelector("a").textContent = ways.registration === "open" ? "Make one" : "Ask for one";
  byId("register").querySelector("a").href = `/auth/register?${new URLSearchParams({ next })}`;
  byId("onward").href = ways.next;
}

/** Who is logged in already may go on, or become somebody else. */
async function showWhoIsHere() {
  const { name } = await ask("/api/whoami");
  if (name === "anonymous") return;
  byId("name").textContent = name;
  byId("already").hidden = false;
  byId("entrance").hidden = true;
  byId("other").addEventListener("click", () => {
    byId("already").hidden = true;
    byId("entrance").hidden = false;
    byId("username").focus();
  });
}

async function showContact() {
  const { contact } = await showArchive("Log in");
  if (contact) byId("forgotten").append(" Write to ", make("a", { href: `mailto:${contact}` }, contact), ".");
}

submits(byId("form"), async (fields) => {
  const form = new URLSearchParams({ username: fields.username.value, password: fields.password.value, next });
  location.replace((await change("POST", "/auth/login", form)).next);
});

revealPasswords();
Promise.all([showContact(), showEntrance(), showWhoIsHere()]).catch((error) => {
  byId("failed").textContent = error.message;
  byId("failed").hidden = false;
});
