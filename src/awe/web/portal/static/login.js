// Log in. Where this leads then is decided by the service, which lets nobody be led to another site.

import { ask, byId, change, make, revealPasswords, showArchive, submits } from "/static/page.js";

const given = new URLSearchParams(location.search);
const next = given.get("next") ?? "/";
byId("next").value = next;

const FAILED = {
  conflict: (title) => `Somebody has an account here with the name that you have at ${title}. If it is yours, log in to it as before and add ${title} to it on the page of your account; else ask the people of this archive.`,
  forbidden: (title) => `This archive does not let you in by ${title}. Ask its people.`,
  unavailable: (title) => `${title} cannot be reached now. Try again later.`,
};

/** A login elsewhere that failed leads here with a word for why; the sentence is the page's own. */
function showFailure(title) {
  const why = given.get("failed");
  if (!why) return;
  byId("failed").textContent = FAILED[why]?.(title) ?? `The login by ${title} did not work. Try again.`;
  byId("failed").hidden = false;
}

async function showEntrance() {
  const ways = await ask("/api/login", { next });
  byId("form").hidden = !ways.passwords.length;
  byId("forgotten").hidden = !ways.passwords.some((way) => way.name === "local");
  byId("providers").replaceChildren(...ways.providers.map((way) => make("li", {}, make("a", { href: way.path }, `Log in with ${way.title}`))));
  byId("providers").hidden = !ways.providers.length;
  byId("or").hidden = !ways.providers.length || !ways.passwords.length;
  const others = ways.passwords.filter((way) => way.name !== "local").map((way) => way.title);
  byId("whose").textContent = others.length ? `That of ${others.join(" or ")} is taken, too.` : "";
  showFailure(ways.providers.find((way) => way.name === given.get("provider"))?.title ?? "The other site");
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
