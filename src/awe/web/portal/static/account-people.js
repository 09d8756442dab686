// What administrators decide: who of those that ask gets an account.

import { ask, byId, button, change, make, moment, sure } from "/static/page.js";

async function decided(act, user, said) {
  try {
    await change("POST", `/api/admin/users/${encodeURIComponent(user.name)}/${act}`);
    await showPeople();
    byId("people-said").textContent = said;
  } catch (error) {
    byId("people-said").textContent = error.message;
  }
}

function row(user) {
  const approve = button("Approve", () => decided("approve", user, `${user.name} can log in now; tell ${user.email}.`),
    { class: "main-action", "aria-label": `Approve ${user.name}` });
  const decline = button("Decline", async () => {
    if (await sure(`Decline ${user.name}?`, "The request is forgotten, and the name is free again.", "Decline")) {
      await decided("decline", user, `${user.name} is declined.`);
    }
  }, { class: "second", "aria-label": `Decline ${user.name}` });
  return make("li", {}, make("div", { class: "row-text" }, make("strong", {}, user.name), ` ${user.display_name}`,
    make("p", {}, make("a", { href: `mailto:${user.email}` }, user.email), ` · asked ${moment(user.created)}`)), approve, decline);
}

/** Show who asks for an account. */
export async function showPeople() {
  const { users } = await ask("/api/admin/users", { state: "pending" });
  byId("waiting").replaceChildren(...users.map(row));
  byId("people-said").textContent = users.length ? "" : "Nobody waits.";
  byId("people").hidden = false;
}
