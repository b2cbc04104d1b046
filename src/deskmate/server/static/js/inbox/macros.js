// Screens, inbox: macros: what is done often, done by its name.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { shorten } from "../core/format.js";
import { chooser, nothingChosen } from "./chooser.js";

/** @typedef {import("./main.js").Desk} Desk */

let now = { chosen: nothingChosen(), error: "" };

/** @param {Desk} desk */
export function beginMacros(desk) {
  now = { chosen: nothingChosen(), error: "" };
  void desk.around.load("macros");
}

/** @param {Desk} desk */
export function macros(desk) {
  const { items, error } = desk.state.around.macros;
  const run = async (/** @type {string} */ macro) => {
    now.error = await desk.verbs.runMacro(macro);
    if (!now.error) desk.dialog(null);
    desk.changed();
  };
  return h(
    "div",
    {
      class: "chooser",
      key: "macros",
    },
    h("h2", { class: "sr" }, "Macros"),
    chooser({
      id: "macro",
      label: "Macro",
      placeholder: "Run a macro",
      options: items.map((macro) => ({
        key: macro.id,
        words: macro.name,
        view: [
          icon("macro"),
          h(
            "span",
            { class: "grow chooser-two" },
            h("b", null, macro.name),
            h("span", { class: "quiet" }, macro.actions.map(actionWords).join(", then ")),
          ),
        ],
      })),
      chosen: now.chosen,
      changed: desk.changed,
      none: error?.message || (items.length ? "No macro fits." : "There are no macros yet. Leads and admins write them."),
      take: (option) => void run(option.key),
    }),
    now.error && h("p", { class: "field-error chooser-foot", role: "alert", key: "error" }, icon("info", true), now.error),
  );
}

/** @param {Record<string, any>} action */
function actionWords(action) {
  const said = action.text ? ` “${shorten(action.text, 40)}”` : " a canned reply";
  switch (action.do) {
    case "reply":
      return `reply${said}`;
    case "note":
      return `note${said}`;
    case "tag":
      return [
        ...(action.add ?? []).map((/** @type {string} */ one) => `tag ${one}`),
        ...(action.remove ?? []).map((/** @type {string} */ one) => `remove tag ${one}`),
      ].join(", ");
    case "priority":
      return `priority ${action.to}`;
    case "assign":
      return `assign to ${String(action.to)
        .replace(/^queue:/, "queue ")
        .replace(/^operator:.*/, "a colleague")}`;
    default:
      return action.to === "snoozed" ? "snooze" : action.to === "resolved" ? "resolve" : "open";
  }
}
