// Login providers by which this account is reached, besides its password.

import { ask, byId, button, change, make, moment, sure } from "/static/page.js";

const SAID = {
  conflict: "that is somebody else's way to log in already, or you have one there.",
  forbidden: "the archive lets nobody in by it who is not on its list. Ask the people of this archive.",
  unavailable: "it cannot be reached now. Try again later.",
};

function row(one) {
  const drop = button("Remove", async () => {
    if (!(await sure(`Remove ${one.title}?`, `You cannot log in by ${one.title} any more, and logins that came by it end.`, "Remove"))) return;
    try {
      await change("DELETE", `/api/me/identities?${new URLSearchParams({ provider: one.provider, subject: one.subject })}`);
      await showWays();
      byId("identities-said").textContent = `${one.title} is removed.`;
    } catch (error) {
      byId("identities-said").textContent = error.message;
    }
  }, { class: "second", "aria-label": `Remove ${one.title}` });
  const used = one.last_login ? `last login ${moment(one.last_login)}` : "not used yet";
  return make("li", {}, make("div", { class: "row-text" }, make("strong", {}, one.title),
    make("p", {}, [one.name && `as ${one.name}`, `added ${moment(one.created)}`, used].filter(Boolean).join(" · "))), drop);
}

function adding(provider) {
  return button(`Add ${provider.title}`, async () => {
    try {
      location.assign((await change("POST", `/auth/oidc/${encodeURIComponent(provider.name)}/link`, new URLSearchParams())).url);
    } catch (error) {
      byId("identities-said").textContent = error.message;
    }
  }, { class: "second" });
}

/** Show the login providers, where the archive has any. */
export async function showWays() {
  const [{ identities }, { providers }] = await Promise.all([ask("/api/me/identities"), ask("/api/login")]);
  byId("linked").replaceChildren(...identities.map(row));
  const linked = new Set(identities.map((one) => one.provider));
  byId("linkable").replaceChildren(...providers.filter((one) => !linked.has(one.name)).map(adding));
  byId("identities").hidden = !identities.length && !providers.length;
  const given = new URLSearchParams(location.search);
  if (!given.get("failed")) return;
  const title = providers.find((one) => one.name === given.get("provider"))?.title ?? "The provider";
  byId("identities-said").textContent = `${title} is not added: ${SAID[given.get("failed")] ?? "the login there did not work. Try again."}`;
  history.replaceState(null, "", location.pathname + location.hash);
}
