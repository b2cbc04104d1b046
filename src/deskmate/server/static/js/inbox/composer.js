// Screens, inbox: where operators write: to the customer, or a note for colleagues.

import { h } from "../core/dom.js";
import { capital, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button, iconButton } from "../core/parts.js";
import { attachButton, attachmentChips, filesIn } from "../core/uploads.js";
import { hintList } from "./hints.js";
import { heldByMe, holderName, shortName, wordsOf } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */

/** What became of the words on their way to the server. */
const KEPT = { "": "", typed: "", saved: "Saved", failed: "Not saved yet" };

/** @param {Desk} desk @param {Thread} thread */
export function composer(desk, thread) {
  const { state, verbs } = desk;
  const words = wordsOf(state, thread.id);
  const note = words.tab === "note";
  const mine = heldByMe(thread, state.me);
  const text = note ? words.note : words.reply;
  const visibility = note ? "note" : "public";
  const files = words.files[note ? "note" : "reply"];
  const onTheirWay = files.filter((one) => one.state === "sending").length;
  const ready = Boolean(text.trim()) || files.some((one) => one.state === "done");
  const take = (/** @type {File[]} */ given) => {
    if (given.length) state.notice = desk.uploads.add(files, given, () => thread.id);
    desk.focus("composer");
  };
  const send = () => {
    // What was typed last may not be drawn yet.
    const typed = note ? words.note : words.reply;
    if (onTheirWay || !(typed.trim() || files.some((one) => one.state === "done"))) return desk.focus("composer");
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
      ondragover: (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
      ondrop: (/** @type {DragEvent} */ event) => {
        if (!filesIn(event.dataTransfer).length) return;
        event.preventDefault();
        take(filesIn(event.dataTransfer));
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
      hintList(desk),
      h("textarea", {
        id: "compose",
        key: words.tab,
        "aria-label": note ? "Note" : "Reply",
        "aria-autocomplete": "list",
        "aria-controls": state.hints ? "hints" : undefined,
        "aria-activedescendant": state.hints?.hints.length ? `hint-${state.hints.at}` : undefined,
        rows: 2,
        value: text,
        placeholder: placeholder(desk, thread, note, mine),
        oninput: (/** @type {any} */ event) => {
          words[words.tab] = event.target.value;
          desk.unsent.typed(thread.id, visibility);
          desk.signs.typing(thread.id, visibility, event.target.value);
          desk.hints.look(event.target, thread.id, note);
          desk.changed();
        },
        onpaste: (/** @type {ClipboardEvent} */ event) => {
          // Programs that copy text as a picture as well mean the text.
          if (!filesIn(event.clipboardData).length || event.clipboardData?.types.includes("text/plain")) return;
          event.preventDefault();
          take(filesIn(event.clipboardData));
        },
        onblur: () => {
          desk.hints.close();
          desk.signs.stopped(thread.id, visibility);
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (desk.hints.press(event)) return;
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            send();
          }
        },
      }),
      attachmentChips(files, desk.uploads, () => thread.id),
      h(
        "div",
        { class: "composer-bar" },
        attachButton("Attach files", take),
        iconButton("Canned replies (/)", "slash", desk.hints.slash, { id: "canned" }),
        iconButton("Macros", "macro", () => desk.dialog("macros"), { id: "macros" }),
        h(
          "span",
          { class: "composer-who not-small" },
          note ? "Only operators see it" : mine ? `${capital(shortName(thread))} sees it at once` : "",
        ),
        h(
          "span",
          { class: "end" },
          h("span", { class: "composer-kept", role: "status" }, KEPT[desk.unsent.stateOf(thread.id, visibility)]),
          button(
            onTheirWay ? `Waits for ${counted(onTheirWay, "file")}` : note ? "Add note" : mine ? "Send" : "Take over and send",
            send,
            {
              look: "primary",
              keys: "Ctrl ↵",
              disabled: !ready || onTheirWay > 0,
              id: "send",
              type: "submit",
            },
          ),
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
        desk.hints.close();
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
      to === "queue" ? `Waits in ${name || id}` : `${capital(holderName(state, thread))} holds`,
      to !== "queue" && h("span", { class: "not-small" }, " this thread"),
    ),
    button("Take over", verbs.takeOver, { look: "small", keys: "t", disabled: busy }),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {boolean} note @param {boolean} mine */
function placeholder({ state }, thread, note, mine) {
  if (note) return "For operators only. @ a colleague or @ai";
  if (mine) return `Write to ${shortName(thread)}, / for canned replies`;
  if (thread.assignment.to === "ai") return "Take over to reply, the AI stops at once";
  if (thread.assignment.to === "queue") return "Take it from the queue to reply";
  return `Take over from ${holderName(state, thread)} to reply`;
}
