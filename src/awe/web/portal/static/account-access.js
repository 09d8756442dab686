// Tokens for programs, and the logins of this account.

import { ask, byId, button, change, copies, make, moment, submits, sure } from "/static/page.js";

const SCOPES = [
  ["read", "see and query what you may see"],
  ["write", "add, change and remove what you may change"],
  ["run", "start and stop jobs"],
  ["share", "give others access, and look after groups"],
  ["publish", "offer things to everybody"],
  ["admin", "look after your account and tokens; act as an administrator, if you are one"],
];

const fact = (name, at) => `${name} ${at ? moment(at) : "never"}`;

function tokenRow(token) {
  const revoke = button("Revoke", async () => {
    if (await sure(`Revoke “${token.label}”?`, "Programs that use it cannot log in any more, at once.", "Revoke")) {
      await change("DELETE", `/api/tokens/${encodeURIComponent(token.id)}`);
      await showAccess();
      byId("tokens-said").textContent = `“${token.label}” is revoked.`;
    }
  }, { class: "second", "aria-label": `Revoke ${token.label}` });
  const kind = token.kind === "client" ? make("span", { class: "tag" }, "a tool of the site") : null;
  return make("li", {},
    make("div", { class: "row-text" }, make("strong", {}, token.label), " ", kind,
      make("p", {}, `may ${token.scopes.join(", ")}`),
      make("p", {}, [fact("made", token.created), fact("ends", token.expires), fact("last used", token.last_used)].join(" · "))),
    revoke);
}

function loginRow(login) {
  const end = button("End", async () => {
    await change("DELETE", `/api/tokens/${encodeURIComponent(login.id)}`);
    await showAccess();
    byId("logins-said").textContent = "The login is ended.";
  }, { class: "second", "aria-label": `End the login by ${login.label || "a program"} of ${moment(login.created)}` });
  return make("li", {},
    make("div", { class: "row-text" }, make("strong", {}, login.label || "A login"), " ",
      login.current ? make("span", { class: "tag" }, "this browser") : null,
      make("p", {}, [fact("since", login.created), fact("last used", login.last_used), fact("ends", login.expires)].join(" · "))),
    login.current ? null : end);
}

/** Show what programs and browsers are logged in with. */
export async function showAccess() {
  const { tokens } = await ask("/api/tokens");
  const logins = tokens.filter((token) => token.kind === "login");
  const others = tokens.filter((token) => token.kind !== "login");
  byId("token-list").replaceChildren(...others.map(tokenRow));
  byId("tokens-said").textContent = others.length ? "" : "You have no token yet.";
  byId("login-list").replaceChildren(...logins.map(loginRow));
  byId("end-all").hidden = logins.length < 2;
}

byId("scopes").replaceChildren(...SCOPES.map(([scope, meaning]) => make("label", {},
  make("input", { type: "checkbox", name: "scope", value: scope, checked: scope === "read" ? "" : null }),
  make("span", {}, make("strong", {}, scope), ` ${meaning}`))));

submits(byId("token-form"), async (fields) => {
  const scopes = [...byId("scopes").querySelectorAll("input:checked")].map((box) => box.value);
  const made = await change("POST", "/api/tokens", { label: fields.label.value, scopes, days: Number(fields.days.value) });
  byId("token-form").reset();
  byId("secret").textContent = made.token;
  byId("datalab").textContent = made.datalab_token;
  byId("made").hidden = false;
  await showAccess();
  byId("made-title").focus();
});

byId("end-all").addEventListener("click", async () => {
  if (!(await sure("End all other logins?", "Everywhere but in this browser you have to log in again. Tokens for programs stay.", "End them"))) return;
  const { ended } = await change("DELETE", "/api/logins");
  await showAccess();
  byId("logins-said").textContent = `${ended} ended.`;
});

copies();
