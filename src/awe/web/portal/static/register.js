// Ask for an account. What is answered is the same whether a name is taken or not, where an administrator approves.

import { ask, byId, change, make, revealPasswords, showArchive, submits } from "/static/page.js";

const next = new URLSearchParams(location.search).get("next") ?? "/";
const SAID = {
  approval: "An administrator of this archive looks at every request, and then lets you in.",
  open: "You can log in at once.",
  closed: "Accounts of this archive are made by its administrators. Please ask them.",
};

async function showMode() {
  const { registration } = await ask("/api/login");
  byId("mode").textContent = SAID[registration];
  byId("form").hidden = registration === "closed";
  if (registration === "open") {
    byId("heading").textContent = byId("go").textContent = "Make an account";
  }
  if (registration !== "closed") byId("name").focus();
}

function showWaiting(name, email) {
  byId("asking").hidden = true;
  byId("heading").textContent = "Thank you";
  byId("done").replaceChildren(
    make("p", {}, "Your request for the name ", make("strong", {}, name), " is noted. You cannot log in yet: an administrator looks at it first."),
    make("p", {}, "You will be reached at ", make("strong", {}, email), ", also if you get another name because that one cannot be had."));
  byId("done").hidden = false;
  byId("heading").focus();
}

submits(byId("form"), async (fields) => {
  const given = Object.fromEntries(["name", "display_name", "email", "password"].map((field) => [field, fields[field].value]));
  const { state } = await change("POST", "/api/register", given);
  if (state === "pending") return showWaiting(given.name, given.email);
  const form = new URLSearchParams({ username: given.name, password: given.password, next });
  location.replace((await change("POST", "/auth/login", form)).next);
});

byId("login").href = `/auth?${new URLSearchParams({ next })}`;
revealPasswords();
Promise.all([showArchive("Ask for an account"), showMode()]).catch((error) => { byId("mode").textContent = error.message; });
