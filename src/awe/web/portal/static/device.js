// A program without a browser shows a code; whoever enters it here decides whether the program may use their account.
// The code stands behind the # of the address: browsers do not send that part, so no log on the way keeps it.

import { ask, byId, change, showArchive, submits } from "/static/page.js";
import { showScopes } from "/static/scopes.js";

const KEPT = "awe-user-code"; // while its reader logs in
const code = location.hash.slice(1) || sessionStorage.getItem(KEPT) || "";
sessionStorage.removeItem(KEPT);
history.replaceState(null, "", location.pathname);

function fail(error) {
  byId("failed").textContent = error.message;
  byId("failed").hidden = false;
}

const send = (user_code, decision) =>
  change("POST", "/oauth/device", new URLSearchParams(decision ? { user_code, decision } : { user_code }));

async function decide(user_code, decision) {
  for (const one of [byId("allow"), byId("deny")]) one.disabled = true;
  const { title } = await send(user_code, decision);
  byId("question").hidden = true;
  byId("heading").textContent = decision === "allow" ? "Done" : "Not allowed";
  byId("done").textContent = decision === "allow" ? `${title} is logged in. You can close this page.` : `${title} gets nothing. You can close this page.`;
  byId("done").hidden = false;
}

submits(byId("form"), async (fields) => {
  const entered = fields.user_code.value;
  const told = await send(entered);
  byId("entering").hidden = true;
  byId("heading").textContent = "Allow this program?";
  byId("tool").textContent = told.title;
  byId("shown").textContent = entered.toUpperCase();
  byId("name").textContent = told.user;
  showScopes(byId("asked"), told.scopes);
  for (const decision of ["allow", "deny"]) {
    byId(decision).addEventListener("click", () => decide(entered, decision).catch(fail));
  }
  byId("question").hidden = false;
  byId("heading").focus();
});

async function begin() {
  await showArchive("Log in a program");
  if ((await ask("/api/whoami")).name === "anonymous") {
    if (code) sessionStorage.setItem(KEPT, code);
    location.replace("/auth?next=%2Fauth%2Fdevice");
    return;
  }
  byId("user_code").value = code;
  byId("entering").hidden = false; // not before: a form that this program does not send would put the code into an address
  if (code) byId("form").requestSubmit();
  else byId("user_code").focus();
}

begin().catch(fail);
