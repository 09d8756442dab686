// What somebody allows a tool or a program, in words.

import { make } from "/static/page.js";

export function showScopes(where, scopes) {
  const parts = [["learn", "It would"], ["do", "In your name it could"]].flatMap(([kind, heading]) => {
    const some = scopes.filter((one) => one.kind === kind);
    if (some.length === 0) return [];
    return [make("h2", {}, heading), make("ul", { class: "allowed" }, ...some.map((one) => make("li", {}, one.meaning)))];
  });
  where.replaceChildren(...parts);
}
