// Screens, inbox: windows over the page: hand back, the keys, the palette. The browser keeps the focus inside them.

import { h } from "../core/dom.js";
import { button } from "../core/parts.js";
import { assigning, beginAssigning } from "./assigning.js";
import { beginMacros, macros } from "./macros.js";
import { palette } from "./palette.js";
import { beginSnoozing, snoozing } from "./snoozing.js";
import { agentName, openThread } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */

/** @type {[string, [string, string][]][]} */
const KEYS = [
  [
    "Move",
    [
      ["Next thread", "j"],
      ["Previous thread", "k"],
      ["Open the thread", "Enter"],
      ["Next for me", "x"],
      ["Search", "/"],
      ["Filter", "f"],
      ["All commands", "Ctrl K"],
    ],
  ],
  [
    "Thread",
    [
      ["Reply, where no request is selected", "r"],
      ["Note", "n"],
      ["Take over", "t"],
      ["Assign", "#"],
      ["Snooze", "s"],
      ["Resolve and open the next", "Shift R"],
      ["Send, answer", "Ctrl Enter"],
      ["Canned reply, while you write", "/"],
      ["Mention, while you write a note", "@"],
    ],
  ],
  [
    "Select threads",
    [
      ["This one, or not", "Space"],
      ["With the next, the previous", "Shift J K"],
      ["Resolve all selected", "Shift R"],
      ["Assign", "#"],
      ["Snooze", "s"],
      ["Priority", "p"],
      ["Tags", "l"],
      ["Note on each", "n"],
      ["Select none", "Esc"],
    ],
  ],
  [
    "Request selected",
    [
      ["Approve, answer, take over, it ran", "a"],
      ["Edit, use the suggestion", "e"],
      ["Reject, decline, it did not run", "r"],
      ["Previous, next request", "[ ]"],
      ["Send what is written on it", "Ctrl Enter"],
      ["Out of a field, then back", "Esc"],
    ],
  ],
];

/** @type {string | null} the window that was there when the page was drawn last */
let before = null;

/** @param {Desk} desk */
export function dialogs(desk) {
  const { dialog } = desk.state;
  if (dialog !== before) {
    before = dialog;
    if (dialog === "assign") beginAssigning(desk);
    if (dialog === "snooze") beginSnoozing(desk);
    if (dialog === "macros") beginMacros(desk);
  }
  if (dialog === "assign") return frame(desk, "assign-dialog", "Assign this thread", assigning(desk));
  if (dialog === "snooze") return frame(desk, "snooze-dialog", "Snooze this thread", snoozing(desk));
  if (dialog === "macros") return frame(desk, "macros-dialog", "Macros", macros(desk));
  if (dialog === "palette") return frame(desk, "palette", "Commands", palette(desk));
  if (dialog === "keys") return frame(desk, "keys", "Keyboard shortcuts", keys(desk));
  if (dialog === "hand_back") return frame(desk, "hand-back-dialog", "Hand back", handBack(desk));
  return null;
}

/** @param {Desk} desk @param {string} id @param {string} label @param {any} body */
function frame(desk, id, label, body) {
  return h(
    "dialog",
    {
      class: `dialog dialog--${id}`,
      id,
      "aria-label": label,
      key: id,
      ref: (/** @type {HTMLDialogElement} */ el) => queueMicrotask(() => el.isConnected && !el.open && el.showModal()),
      onclose: () => desk.dialog(null),
      onclick: (/** @type {MouseEvent} */ event) => {
        if (event.target === event.currentTarget) desk.dialog(null);
      },
    },
    h("div", { class: "dialog-body" }, body),
  );
}

/** @param {Desk} desk */
function handBack(desk) {
  const thread = openThread(desk.state);
  const agent = thread ? agentName(desk.state, thread) : "the AI";
  return h(
    "form",
    {
      class: "dialog-form",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        const note = event.target.elements.note.value;
        desk.dialog(null);
        void desk.verbs.handBack(note);
      },
    },
    h("h2", null, `Hand back to ${agent}`),
    h("p", { class: "quiet" }, `${agent === "the AI" ? "The AI" : agent} answers the customer again from now on.`),
    h(
      "div",
      { class: "field" },
      h("label", { for: "hand-back-note" }, "Note for the AI, optional"),
      h("textarea", {
        class: "input",
        id: "hand-back-note",
        name: "note",
        rows: 3,
        autofocus: true,
        placeholder: "What is settled, what is still open",
        onkeydown: (/** @type {any} */ event) =>
          event.key === "Enter" &&
          (event.ctrlKey || event.metaKey) &&
          (event.preventDefault(), event.target.form.requestSubmit()),
      }),
    ),
    h(
      "div",
      { class: "dialog-ways" },
      button("Hand back", () => undefined, { look: "primary", type: "submit" }),
      button("Cancel", () => desk.dialog(null), { look: "plain" }),
    ),
  );
}

/** @param {Desk} desk */
function keys(desk) {
  return [
    h(
      "div",
      { class: "dialog-top" },
      h("h2", null, "Keyboard shortcuts"),
      button("Close", () => desk.dialog(null), { look: "plain small" }),
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        id: "shortcuts-on",
        checked: desk.state.shortcuts,
        onchange: (/** @type {any} */ event) => desk.setShortcuts(event.target.checked),
      }),
      "Use single keys as shortcuts",
    ),
    h(
      "div",
      { class: "keys-groups" },
      KEYS.map(([title, rows]) =>
        h(
          "section",
          null,
          h("h3", null, title),
          h(
            "dl",
            { class: "keys" },
            rows.map(([words, key]) => [
              h("dt", null, words),
              h(
                "dd",
                null,
                key.split(" ").map((one) => h("kbd", null, one)),
              ),
            ]),
          ),
        ),
      ),
    ),
    h("p", { class: "quiet" }, "Single keys never fire while you type. Ctrl is Cmd on a Mac."),
  ];
}
