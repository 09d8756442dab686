// How much of what may be used is used.

import { ask, byId, make, moment, number } from "/static/page.js";

function row(one) {
  const limited = one.limit !== null;
  const used = `${number.format(one.used)}${limited ? ` of ${number.format(one.limit)}` : ""}`;
  const id = `usage-${one.measure}`;
  return make("li", {}, make("div", { class: "row-text" }, make("strong", { id }, one.what),
    make("p", {}, [used, limited ? null : "no limit", one.resets ? `anew ${moment(one.resets)}` : null].filter(Boolean).join(" · ")),
    limited ? make("progress", { max: Math.max(one.limit, 1), value: Math.min(one.used, one.limit), "aria-labelledby": id }) : null));
}

/** Show the account's usage. */
export async function showUsage() {
  const { usage } = await ask("/api/me/usage");
  byId("usage-list").replaceChildren(make("ul", { class: "rows grid" }, ...usage.map(row)));
}
