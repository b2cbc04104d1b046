// Screens, settings: what the list and the editor both have: links that load no page, and word of what was done.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

/** @typedef {import("./state.js").Settings} Settings */

/** @param {() => void} go */
export function follow(go) {
  return (/** @type {MouseEvent} */ event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go();
  };
}

/** What was just done, where it is heard and seen. @param {Settings} settings */
export function words({ state }) {
  return h(
    "div",
    { class: "settings-said", role: "status", key: "said" },
    state.said && h("p", { class: "settings-done" }, icon("check", true), state.said),
    state.refused && h("p", { class: "field-error" }, icon("info", true), state.refused),
  );
}
