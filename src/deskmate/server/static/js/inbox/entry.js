// Screens, inbox: the way in: sign in, or the one-time link of the first admin.

import { h } from "../core/dom.js";
import { icon, logo } from "../core/icons.js";
import { button } from "../core/parts.js";

/** @typedef {import("./main.js").Desk} Desk */

let error = "";
let busy = false;

/** @param {Desk} desk */
export function entry(desk) {
  return desk.state.phase === "setup" ? setup(desk) : signIn(desk);
}

/** @param {Desk} desk */
function signIn(desk) {
  return page(
    h(
      "form",
      {
        class: "entry-form",
        "aria-labelledby": "sign-in-title",
        key: "sign-in",
        onsubmit: submit(desk, (form) =>
          desk.api.post(
            "/api/session",
            {
              email: form.get("email"),
              password: form.get("password"),
            },
            { quiet: true },
          ),
        ),
      },
      h("h1", { id: "sign-in-title" }, "Sign in"),
      field("email", "Email", { type: "email", autocomplete: "username", autofocus: true }),
      field("password", "Password", { type: "password", autocomplete: "current-password" }),
      problem(),
      button(busy ? "Signing in…" : "Sign in", () => undefined, { look: "primary wide", type: "submit", disabled: busy }),
    ),
    h("p", { class: "quiet" }, "For operators. Customers ", h("a", { href: "/chat" }, "chat here"), "."),
  );
}

/** The secret is in the fragment, which browsers do not send. @param {Desk} desk */
function setup(desk) {
  const token = location.hash.slice(1);
  if (!token) {
    return page(
      h(
        "div",
        { class: "entry-form", key: "no-link" },
        h("h1", null, "Set up"),
        h(
          "p",
          null,
          "Open the link that the server printed when it started for the first time. It ends with a secret after the # sign.",
        ),
        h("a", { class: "button button--wide", href: "/inbox" }, "Go to sign in"),
      ),
    );
  }
  return page(
    h(
      "form",
      {
        class: "entry-form",
        "aria-labelledby": "setup-title",
        key: "setup",
        onsubmit: submit(desk, (form) =>
          desk.api.post(
            "/api/session/link",
            {
              token,
              name: form.get("name"),
              email: form.get("email"),
              password: form.get("password"),
            },
            { quiet: true },
          ),
        ),
      },
      h("h1", { id: "setup-title" }, "Set up your desk"),
      h("p", { class: "quiet" }, "You become the first admin. The link works once."),
      field("name", "Name", { autocomplete: "name", autofocus: true, maxlength: 100 }, "Customers see it beside your answers."),
      field("email", "Email", { type: "email", autocomplete: "username" }),
      field("password", "Password", { type: "password", autocomplete: "new-password", minlength: 10 }, "At least 10 characters."),
      problem(),
      button(busy ? "Creating…" : "Create account", () => undefined, { look: "primary wide", type: "submit", disabled: busy }),
    ),
  );
}

/** @param {...any} body */
function page(...body) {
  return h("main", { class: "entry", key: "entry" }, h("div", { class: "entry-brand" }, logo(), "Deskmate"), body);
}

/** @param {string} name @param {string} label @param {Record<string, any>} props @param {string} [hint] */
function field(name, label, props, hint) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: name }, label),
    h("input", {
      class: "input",
      id: name,
      name,
      required: true,
      "aria-invalid": error ? "true" : undefined,
      "aria-describedby": [hint && `${name}-hint`, error && "entry-error"].filter(Boolean).join(" ") || undefined,
      ...props,
    }),
    hint && h("p", { class: "field-hint", id: `${name}-hint` }, hint),
  );
}

function problem() {
  return error ? h("p", { class: "field-error", id: "entry-error", role: "alert" }, icon("info", true), error) : null;
}

/** @param {Desk} desk @param {(form: FormData) => Promise<any>} send */
function submit(desk, send) {
  return async (/** @type {any} */ event) => {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.target);
    busy = true;
    error = "";
    desk.changed();
    try {
      const me = await send(form);
      await desk.enter(me);
    } catch (problem) {
      error = words(/** @type {any} */ (problem));
      requestAnimationFrame(() => document.getElementById("password")?.focus());
    } finally {
      busy = false;
      desk.changed();
    }
  };
}

/** @param {import("../core/api.js").Problem} problem */
function words(problem) {
  if (problem.code === "rate_limited")
    return `Too many tries. Try again${problem.facts.retry_after ? ` in ${problem.facts.retry_after} seconds` : " in a minute"}.`;
  return problem.message;
}
