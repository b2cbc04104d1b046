// Screens, inbox: where operators write: to the customer, or a note for colleagues.

import { h } from "../core/dom.js";
import { capital } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { heldByMe, holderName, shortName, wordsOf } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */

/** @param {Desk} desk @param {Thread} thread */
export function composer(desk, thread) {
  const { state, verbs } = desk;
  const words = wordsOf(state, thread.id);
  const note = words.tab === "note";
  const mine = heldByMe(thread, state.me);
  const text = note ? words.note : words.reply;
  const send = () => {
    if (!text.trim()) return desk.focus("composer");
    verbs.send(note ? "note" : "public");
    desk.scroller.toEnd();
    return desk.focus("composer");
  };
  return h(
    "form",
    {
      class: `composer${note ? " composer--note" : ""}`,
      "aria-label": "Write in this thread",
      key: `composer:${thread.id}`,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        send();
      },
    },
    state.notice &&
      h(
        "p",
        { class: "composer-notice", role: "alert", key: "notice" },
        icon("info", true),
        h("span", { class: "grow" }, state.notice),
        h(
          "button",
          {
            type: "button",
            class: "link",
            onclick: () => {
              state.notice = "";
              desk.changed();
            },
          },
          "Dismiss",
        ),
      ),
    h(
      "div",
      { class: "composer-box" },
      h(
        "fieldset",
        { class: "composer-tabs" },
        h("legend", { class: "sr" }, "Who reads this"),
        tab(desk, thread, "reply", "Reply"),
        tab(desk, thread, "note", "Note"),
        held(desk, thread, mine),
      ),
      h("textarea", {
        id: "compose",
        key: words.tab,
        "aria-label": note ? "Note" : "Reply",
        rows: 2,
        value: text,
        placeholder: placeholder(desk, thread, note, mine),
        oninput: (/** @type {any} */ event) => {
          words[words.tab] = event.target.value;
          desk.changed();
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            send();
          }
        },
      }),
      h(
        "div",
        { class: "composer-bar" },
        h(
          "span",
          { class: "composer-who" },
          note ? "Only operators see it" : mine ? `${capital(shortName(thread))} sees it at once` : "",
        ),
        h(
          "span",
          { class: "end" },
          button(note ? "Add note" : mine ? "Send" : "Take over and send", send, {
            look: "primary",
            keys: "Ctrl ↵",
            disabled: !text.trim(),
            id: "send",
            type: "submit",
          }),
        ),
      ),
    ),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {"reply" | "note"} name @param {string} label */
function tab(desk, thread, name, label) {
  const words = wordsOf(desk.state, thread.id);
  return h(
    "label",
    { class: name === "note" ? "tab-note" : undefined },
    h("input", {
      type: "radio",
      name: "visibility",
      value: name,
      id: `tab-${name}`,
      checked: words.tab === name,
      onchange: () => {
        words.tab = name;
        desk.changed();
        desk.focus("composer");
      },
    }),
    name === "note" && icon("lock", true),
    label,
  );
}

/** Who holds the thread, and the one verb that changes it. @param {Desk} desk @param {Thread} thread @param {boolean} mine */
function held(desk, thread, mine) {
  const { state, verbs } = desk;
  const { to, name, id } = thread.assignment;
  const busy = state.busy.has("assign");
  if (mine) {
    return h(
      "span",
      { class: "composer-held" },
      avatar("operator", state.me?.name, { size: "small" }),
      h("span", { class: "truncate" }, "You hold", h("span", { class: "not-small" }, " this thread")),
      button("Hand back", () => desk.dialog("hand_back"), { look: "small", disabled: busy }),
    );
  }
  return h(
    "span",
    { class: "composer-held" },
    avatar(to === "ai" ? "agent" : to, name || id, { size: "small" }),
    h(
      "span",
      { class: "truncate" },
      `${capital(holderName(state, thread))} holds`,
      h("span", { class: "not-small" }, " this thread"),
    ),
    button("Take over", verbs.takeOver, { look: "small", keys: "t", disabled: busy }),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {boolean} note @param {boolean} mine */
function placeholder({ state }, thread, note, mine) {
  if (note) return "For operators only";
  if (mine) return `Write to ${shortName(thread)}`;
  if (thread.assignment.to === "ai") return "Take over to reply, the AI stops at once";
  return `Take over from ${holderName(state, thread)} to reply`;
}
