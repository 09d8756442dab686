// The key stands behind the # of the address: browsers do not send that part, so no log on the way keeps it.

import { byId, change, revealPasswords, showArchive, submits } from "/static/page.js";

const key = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

submits(byId("form"), async (fields) => {
  const { name } = await change("POST", "/api/password", { key, password: fields.password.value });
  byId("form").hidden = true;
  byId("said").textContent = `The password of ${name} is set. You can log in with it now.`;
  byId("login").hidden = false;
  byId("login").querySelector("a").focus();
});

revealPasswords();
showArchive("Set your password").catch((error) => { byId("said").textContent = error.message; });
