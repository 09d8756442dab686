// Groups that this account belongs to, and invitations to it.

import { ask, byId, button, change, make, moment, sure } from "/static/page.js";

async function done(act, said) {
  try {
    await act();
    await showGroups();
    byId("groups-said").textContent = said;
  } catch (error) {
    byId("groups-said").textContent = error.message;
  }
}

function groupRow(group) {
  const members = group.members.map((one) => one.user).join(", ");
  return make("li", {}, make("div", { class: "row-text" }, make("strong", {}, group.name), " ", group.title,
    make("p", {}, [group.role ? `you are ${group.role}` : null, members && `members: ${members}`].filter(Boolean).join(" · "))));
}

function invitationRow(one) {
  const path = `/api/invitations/${encodeURIComponent(one.id)}`;
  const accept = button("Accept", () => done(() => change("POST", `${path}/accept`), `You belong to ${one.group} now.`),
    { class: "main-action", "aria-label": `Accept the invitation to ${one.group}` });
  const decline = button("Decline", async () => {
    if (await sure(`Decline the invitation to ${one.group}?`, `${one.by} can invite you again.`, "Decline")) {
      await done(() => change("DELETE", path), "The invitation is declined.");
    }
  }, { class: "second", "aria-label": `Decline the invitation to ${one.group}` });
  return make("li", {}, make("div", { class: "row-text" }, "Invitation to ", make("strong", {}, one.group), ` as ${one.role}`,
    make("p", {}, `by ${one.by} · good until ${moment(one.expires)}`)), accept, decline);
}

/** Show groups and invitations. */
export async function showGroups() {
  const [{ groups }, { invitations }] = await Promise.all([ask("/api/groups"), ask("/api/invitations")]);
  byId("invitation-list").replaceChildren(...invitations.map(invitationRow));
  byId("group-list").replaceChildren(...groups.map(groupRow));
  byId("groups-said").textContent = groups.length || invitations.length ? "" : "You belong to no group.";
}
