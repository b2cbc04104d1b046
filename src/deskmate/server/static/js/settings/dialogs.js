// Screens, settings: what is asked before something is lost for good, and secrets that are shown once.

import { h } from "../core/dom.js";
import { button } from "../core/parts.js";

/** @typedef {import("./state.js").Settings} Settings */

/** @param {Settings} settings */
export function dialogs(settings) {
  const { confirm, once } = settings.state;
  return [confirm && asking(settings, confirm), once && !confirm && shownOnce(settings, once)];
}

/** @param {string} id @param {() => void} close @param {...any} body */
function frame(id, close, ...body) {
  return h(
    "dialog",
    {
      class: "dialog",
      id,
      "aria-labelledby": `${id}-title`,
      "aria-describedby": `${id}-text`,
      key: id,
      ref: (/** @type {HTMLDialogElement} */ el) => queueMicrotask(() => el.isConnected && !el.open && el.showModal()),
      onclose: close,
    },
    h("div", { class: "dialog-body" }, body),
  );
}

/** @param {string} id */
const end = (id) => /** @type {HTMLDialogElement | null} */ (document.getElementById(id))?.close();

/** @param {Settings} settings @param {{title: string, text: string, yes: string, run: () => void}} what */
function asking(settings, { title, text, yes, run }) {
  const { state, changed } = settings;
  const close = () => {
    state.confirm = null;
    changed();
  };
  return frame(
    "confirm",
    close,
    h("h2", { id: "confirm-title" }, title),
    h("p", { id: "confirm-text" }, text),
    h(
      "div",
      { class: "dialog-ways" },
      button(
        yes,
        () => {
          end("confirm");
          run();
        },
        { look: "danger-fill", id: "confirm-yes" },
      ),
      // Enter must not lose anything.
      h("button", { type: "button", class: "button", id: "confirm-no", autofocus: true, onclick: () => end("confirm") }, "Cancel"),
    ),
  );
}

/** @param {Settings} settings @param {{title: string, text: string, secret: string, copied: boolean}} once */
function shownOnce(settings, once) {
  const { state, changed, focus } = settings;
  const close = () => {
    state.once = null;
    focus("editor-title");
    changed();
  };
  return frame(
    "once",
    close,
    h("h2", { id: "once-title" }, once.title),
    h("p", { id: "once-text" }, `${once.text} It is shown this once: keep it somewhere safe.`),
    h("code", { class: "set-secret", tabindex: "0", "aria-label": once.title }, once.secret),
    h(
      "div",
      { class: "dialog-ways" },
      button(once.copied ? "Copied" : "Copy", () => void navigator.clipboard?.writeText(once.secret).then(() => ((once.copied = true), changed())), { look: "primary", icon: "copy" }),
      button("I have kept it", () => end("once"), { id: "once-done" }),
    ),
  );
}
