// Your account: who you are. Tokens and logins, ways to log in, and what you use have modules of their own.

import { showAccess } from "/static/account-access.js";
import { showGroups } from "/static/account-groups.js";
import { showWays } from "/static/account-ways.js";
import { showPeople } from "/static/account-people.js";
import { showTables } from "/static/account-tables.js";
import { showUsage } from "/static/account-usage.js";
import { ask, byId, change, make, revealPasswords, showArchive, showWho, submits } from "/static/page.js";

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

function showProfile(me) {
  byId("description").replaceChildren("You are ", make("strong", {}, me.name), `, here since ${day.format(new Date(me.created))}.`);
  byId("display_name").value = me.display_name;
  byId("email").value = me.email;
  byId("username").value = me.name;
  byId("password-box").hidden = !me.has_password;
  byId("roles").textContent = me.roles.length ? `Your roles: ${me.roles.join(", ")}` : "";
}

submits(byId("profile-form"), async (fields) => {
  byId("profile-said").textContent = "";
  const me = await change("PATCH", "/api/me", { display_name: fields.display_name.value, email: fields.email.value });
  showProfile(me);
  byId("profile-said").textContent = "Saved.";
});

// A new password ends every login, this one too: the page logs in with it at once.
submits(byId("password-form"), async (fields) => {
  byId("password-said").textContent = "";
  const password = fields.password.value;
  await change("POST", "/api/me/password", { old_password: fields.old_password.value, password });
  await change("POST", "/auth/login", new URLSearchParams({ username: byId("username").value, password }));
  byId("password-form").reset();
  byId("password-said").textContent = "The password is changed.";
  await showAccess();
});

async function show() {
  const [name, archive] = await Promise.all([showWho(), showArchive("Your account")]);
  if (name === null) return location.replace(`/auth?${new URLSearchParams({ next: location.pathname + location.hash })}`);
  byId("footer").textContent = [`awe ${archive.version}`, archive.authority, archive.contact].filter(Boolean).join(" · ");
  const me = await ask("/api/me");
  showProfile(me);
  await Promise.all([showAccess(), showWays(), showTables(), showUsage(), showGroups(), me.roles.includes("administrator") ? showPeople() : null]);
  if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
}

revealPasswords();
show().catch((error) => {
  byId("failed").textContent = error.message;
  byId("failed").hidden = false;
});
