// The key stands behind the # of the address: browsers do not send that part, so no log on the way keeps it.
const key = location.hash.slice(1);
const headers = { Authorization: `Bearer ${key}`, Accept: "application/json" };
const at = (id) => document.getElementById(id);

async function save(file) {
  at("said").textContent = `Fetching ${file.name}.`;
  const answer = await fetch(file.address, { headers: { Authorization: headers.Authorization } });
  if (!answer.ok) {
    at("said").textContent = `${file.name} cannot be fetched (${answer.status}).`;
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
  at("said").textContent = `${file.name} is fetched.`;
}

async function show() {
  const answer = await fetch("/api/shared", { headers });
  const found = await answer.json();
  if (!answer.ok) {
    const { message, hint } = found.error;
    at("said").textContent = hint ? `${message} (${hint})` : message;
    return;
  }
  at("title").textContent = found.title || `${found.kind} ${found.name}`;
  at("description").textContent = found.description;
  const until = found.expires ? `, until ${new Date(found.expires).toLocaleDateString()}` : "";
  at("about").textContent = `${found.kind} ${found.name}, shared by ${found.by}${until}.`;
  at("files").replaceChildren(...found.files.map((file) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${file.name} (${file.title})`;
    button.addEventListener("click", () => save(file));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  at("said").textContent = "";
}

show();
