// SAMP's Web Profile (SAMP 1.3 section 5): hand what was found to TOPCAT, Aladin or DS9 on the reader's own
// computer. It talks to the hub that those programs bring, at localhost:21012, and to nobody else; and only
// after the reader has asked, or when the service itself runs on this computer.

const HUB = "http://localhost:21012/";

/** Whether the page comes from this computer, so that looking for a hub on it tells nobody anything new. */
export const atHome = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

// XML-RPC: SAMP has strings, lists and maps, and no other values.

function element(document, value) {
  const made = document.createElement("value");
  if (Array.isArray(value)) {
    const data = document.createElement("data");
    data.append(...value.map((item) => element(document, item)));
    const array = document.createElement("array");
    array.append(data);
    made.append(array);
  } else if (typeof value === "object") {
    const struct = document.createElement("struct");
    for (const [name, item] of Object.entries(value)) {
      const member = document.createElement("member");
      const label = document.createElement("name");
      label.textContent = name;
      member.append(label, element(document, item));
      struct.append(member);
    }
    made.append(struct);
  } else {
    const string = document.createElement("string");
    string.textContent = String(value);
    made.append(string);
  }
  return made;
}

function read(value) {
  const inner = value.firstElementChild;
  if (!inner) return value.textContent;
  if (inner.tagName === "array") return [...inner.firstElementChild.children].map(read);
  if (inner.tagName === "struct") {
    return Object.fromEntries([...inner.children].map((member) => [
      member.querySelector(":scope > name").textContent, read(member.querySelector(":scope > value"))]));
  }
  return inner.textContent;
}

async function call(method, ...parameters) {
  const request = document.implementation.createDocument(null, "methodCall");
  const name = request.createElement("methodName");
  name.textContent = `samp.webhub.${method}`;
  const params = request.createElement("params");
  for (const parameter of parameters) {
    const param = request.createElement("param");
    param.append(element(request, parameter));
    params.append(param);
  }
  request.documentElement.append(name, params);
  const body = `<?xml version="1.0"?>${new XMLSerializer().serializeToString(request)}`;
  const answer = await fetch(HUB, { method: "POST", headers: { "Content-Type": "text/xml" }, body });
  const found = new DOMParser().parseFromString(await answer.text(), "text/xml");
  const fault = found.querySelector("fault > value");
  if (fault) throw new Error(read(fault).faultString ?? "the hub refuses");
  const value = found.querySelector("params > param > value");
  if (!value) throw new Error("the hub's answer cannot be read");
  return read(value);
}

/** Whether a hub is running on the reader's computer. */
export async function hubIsThere() {
  try {
    await call("ping");
    return true;
  } catch {
    return false;
  }
}

let key = null;

async function registered() {
  if (key) {
    try {
      await call("ping", key);
      return key;
    } catch {
      key = null; // the hub was stopped, or has forgotten us
    }
  }
  const map = await call("register", { "samp.name": document.title || "awe" });
  key = map["samp.private-key"];
  await call("declareMetadata", key, {
    "samp.name": document.title || "awe",
    "samp.description.text": "The page of an archive, in a browser",
  });
  return key;
}

addEventListener("pagehide", () => {
  if (key) call("unregister", key).catch(() => {});
  key = null;
});

/** Send a message to everybody who listens to it; returns their names. */
export async function send(mtype, parameters) {
  if (!(await hubIsThere())) throw new Error("No SAMP hub answers. Start TOPCAT or Aladin on this computer, then try again.");
  const own = await registered();
  const listening = Object.keys(await call("getSubscribedClients", own, mtype));
  if (!listening.length) throw new Error(`Nobody listens to ${mtype}. Start TOPCAT or Aladin, then try again.`);
  const message = { "samp.mtype": mtype, "samp.params": parameters };
  const names = [];
  for (const client of listening) {
    await call("notify", own, client, message);
    names.push((await call("getMetadata", own, client))["samp.name"] ?? client);
  }
  return names;
}
