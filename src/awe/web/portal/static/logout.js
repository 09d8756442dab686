// A tool of the site sent somebody here who logged out of it: they decide whether to log out here, too.

import { ask, byId, logOut, showArchive } from "/static/page.js";

function fail(error) {
  byId("failed").textContent = error.message;
  byId("failed").hidden = false;
}

async function begin() {
  await showArchive("Log out");
  const { name } = await ask("/api/whoami");
  byId(name === "anonymous" ? "done" : "question").hidden = false;
  byId("name").textContent = name;
  byId("leave").addEventListener("click", () => logOut().catch(fail));
}

begin().catch(fail);
