// The key stands behind the # of the address: browsers do not send that part, so no log on the way keeps it.
const form = document.getElementById("form");
const said = document.getElementById("said");
const key = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = document.getElementById("password").value;
  const answer = await fetch("/api/password", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key, password }),
  });
  const found = await answer.json();
  if (answer.ok) {
    form.hidden = true;
    said.textContent = `The password of ${found.name} is set. You can log in with it now.`;
  } else {
    const { message, hint } = found.error;
    said.textContent = hint ? `${message} (${hint})` : message;
  }
});
