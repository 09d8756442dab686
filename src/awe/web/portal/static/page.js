// What every page shares: making elements, asking the service, who is logged in.
// Everything is asked of the page's own origin; what is shown is set as text, never as HTML.

export const byId = (id) => document.getElementById(id);

/** Make an element: attributes, then children (elements or text). */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make a button that does something. */
export function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

async function answered(path, options, heard) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The service does not answer. Is it still running?");
  }
  heard?.(answer.headers);
  const body = await answer.json().catch(() => null);
  if (answer.ok && !body?.error) return body;
  const told = body?.error;
  const message = told?.message ? [told.message, told.hint].filter(Boolean).join("\n") : told;
  const failed = new Error(message ?? `The service answered ${answer.status}.`);
  failed.field = told?.fields?.name;
  failed.status = answer.status;
  throw failed;
}

/** What went wrong, as a sentence beside the form; "name=value:" is there for programs. */
function sentence(error) {
  const text = error.field ? error.message.replace(/^\w+=[^\n]*?: /, "") : error.message;
  return text[0].toUpperCase() + text.slice(1);
}

/** Ask for JSON; a failure is an Error whose message is the service's own, with its hint. */
export function ask(path, parameters = {}, headers = {}) {
  const query = new URLSearchParams(parameters).toString();
  return answered(query ? `${path}?${query}` : path, { headers: { Accept: "application/json", ...headers } });
}

/**
 * Change something, or ask with a body: an object (sent as JSON) or a form's fields (URLSearchParams). `heard` is told the
 * answer's headers.
 */
export function change(method, path, body, heard) {
  const headers = { Accept: "application/json" };
  if (body && !(body instanceof URLSearchParams)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  return answered(path, { method, headers, body }, heard);
}

/**
 * Let a form be sent by a function: its button waits meanwhile, and what goes wrong is said in the element with the
 * role alert, and at the field that the service names.
 */
export function submits(form, send) {
  const said = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const go = form.querySelector("[type=submit]");
    if (go.getAttribute("aria-disabled") === "true") return;
    go.setAttribute("aria-disabled", "true");
    said.hidden = true;
    for (const field of form.elements) field.removeAttribute("aria-invalid");
    try {
      await send(form.elements);
    } catch (error) {
      said.textContent = sentence(error);
      said.hidden = false;
      const wrong = form.elements[error.field] ?? form.querySelector("[data-again]");
      if (form.elements[error.field]) wrong.setAttribute("aria-invalid", "true");
      wrong?.focus();
    } finally {
      go.removeAttribute("aria-disabled");
    }
  });
}

/** Put a button beside each password that shows what was typed. */
export function revealPasswords() {
  for (const box of document.querySelectorAll(".with-reveal")) {
    const field = box.firstElementChild;
    const show = button("Show", () => {
      const hidden = field.type === "password";
      field.type = hidden ? "text" : "password";
      show.textContent = hidden ? "Hide" : "Show";
      show.setAttribute("aria-pressed", String(hidden));
    }, { class: "reveal", "aria-pressed": "false", "aria-label": `Show: ${field.labels[0].textContent}` });
    box.append(show);
  }
}

/** Where a login leads back to: this page, unless it is about logging in itself. */
function loginAddress() {
  if (location.pathname.startsWith("/auth")) return `/auth${location.search}`;
  return `/auth?${new URLSearchParams({ next: location.pathname + location.search + location.hash })}`;
}

/** End the login of this browser, and go where the service says. */
export async function logOut() {
  const { next } = await change("POST", "/auth/logout", new URLSearchParams());
  location.assign(next);
}

/** Say in the header who is logged in; return the name, or null. */
export async function showWho() {
  const { name } = await ask("/api/whoami");
  const known = name !== "anonymous";
  const parts = known
    ? [make("a", { href: "/account", title: "Your account" }, name), button("Log out", logOut, { class: "plain-button" })]
    : [make("a", { href: loginAddress(), class: "log-in" }, "Log in")];
  byId("who").replaceChildren(...parts);
  return known ? name : null;
}

/** Show the archive's name in the header and the window's title; return what it says of itself. */
export async function showArchive(page) {
  const status = await ask("/api/status");
  byId("title").textContent = status.title;
  document.title = page ? `${page} · ${status.title}` : status.title;
  return status;
}

export const number = new Intl.NumberFormat("en");
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A moment in this person's own words and time. */
export const moment = (text) => moments.format(new Date(text));

/** Ask whether something is really meant; a dialog with the id "sure" is part of the page. */
export function sure(title, text, yes) {
  const dialog = byId("sure");
  byId("sure-title").textContent = title;
  byId("sure-text").textContent = text;
  byId("sure-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Let each button with data-copy copy the text of the element that it names. */
export function copies() {
  for (const each of document.querySelectorAll("[data-copy]")) {
    each.addEventListener("click", async () => {
      const source = byId(each.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        each.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        each.textContent = "Selected";
      }
      setTimeout(() => { each.textContent = "Copy"; }, 2000);
    });
  }
}
