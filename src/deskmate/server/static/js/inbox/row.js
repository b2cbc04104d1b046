// Screens, inbox: one thread in the list.

import { h } from "../core/dom.js";
import { ago, capital, counted, firstName, full, iso, ms, roughly, until } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { nearness } from "./deadline.js";
import { due, dueAt } from "./due.js";
import { customerName, faceOf, heldByMe, holderName, isWaiting, othersOn, unreadOf, works } from "./state.js";
import { urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */

const URGENCY = ["escalation", "approval", "question", "draft"];

/** @param {Desk} desk @param {Thread} thread */
export function row(desk, thread) {
  const { state } = desk;
  const unread = unreadOf(state, thread);
  const picked = state.picked.ids.has(thread.id);
  const refused = state.picked.refused.get(thread.id);
  const at = thread.preview?.at ?? thread.updated_at;
  return h(
    "li",
    { key: thread.id, class: `thread-place${picked ? " thread-place--picked" : ""}` },
    works(state) && pickBox(desk, thread, picked),
    h(
      "a",
      {
        class: `thread-row${unread ? " thread-row--unread" : ""}`,
        id: `row-${thread.id}`,
        "data-thread": thread.id,
        href: urlOf({ ...state.view, thread: thread.id }),
        "aria-current": state.view.thread === thread.id ? "true" : undefined,
        onclick: (/** @type {MouseEvent} */ event) => {
          // Shift and a click would open a window: here it picks a range.
          if (!event.shiftKey) return desk.follow({ thread: thread.id })(event);
          event.preventDefault();
          desk.bulk.pick(thread.id, { on: true, range: true });
        },
      },
      avatar("customer", customerName(thread)),
      h(
        "div",
        { class: "grow" },
        h(
          "div",
          { class: "thread-row-line" },
          h("span", { class: "thread-row-customer truncate" }, customerName(thread)),
          h("time", { class: "thread-row-time", datetime: iso(at) }, ago(at, state.now)),
        ),
        h(
          "div",
          { class: "thread-row-line" },
          now(state, thread) ?? preview(desk, thread),
          unread > 0 &&
            h("span", { class: "unread" }, unread > 99 ? "99+" : unread, h("span", { class: "sr" }, " unread")),
        ),
        h(
          "div",
          { class: "thread-row-facts" },
          kinds(thread),
          rowClock(state, thread) ?? subject(thread),
          h("span", { class: "end" }, watchers(state, thread), priority(thread.priority), holder(desk, thread)),
        ),
        refused && h("p", { class: "thread-row-refused", id: `refused-${thread.id}` }, icon("escalation", true), refused),
      ),
    ),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {boolean} picked */
function pickBox(desk, thread, picked) {
  return h(
    "span",
    { class: "thread-pick" },
    h("input", {
      type: "checkbox",
      id: `pick-${thread.id}`,
      "aria-label": `Select ${customerName(thread)}`,
      "aria-describedby": desk.state.picked.refused.has(thread.id) ? `refused-${thread.id}` : undefined,
      checked: picked,
      onclick: (/** @type {any} */ event) => desk.bulk.pick(thread.id, { on: event.target.checked, range: event.shiftKey }),
    }),
  );
}

/** Who types right now, in place of what was said last. @param {import("./state.js").State} state @param {Thread} thread */
function now(state, thread) {
  const typing = othersOn(state, thread.id).filter((one) => one.typing);
  if (!typing.length) return null;
  const [first] = typing;
  const more = typing.length > 1 ? ` and ${typing.length - 1} more` : "";
  const name = first.kind === "customer" ? firstName(first.name) || customerName(thread) : firstName(first.name);
  const what = first.visibility === "note" ? "is writing a note" : "is typing";
  return h("p", { class: "thread-row-preview truncate grow typing" }, `${name}${more} ${more ? what.replace("is", "are") : what}`);
}

/** Who else has it before them. @param {import("./state.js").State} state @param {Thread} thread */
function watchers(state, thread) {
  const there = othersOn(state, thread.id).filter((one) => one.kind === "operator");
  if (!there.length) return null;
  const names = there.map((one) => one.name).join(", ");
  return h(
    "span",
    { class: "row-viewers", role: "img", "aria-label": `Viewing: ${names}`, title: `Viewing: ${names}` },
    icon("eye", true),
    there.length === 1 ? firstName(there[0].name) : there.length,
  );
}

/** Who spoke last, and what. @param {Desk} desk @param {Thread} thread */
function preview({ state }, thread) {
  const last = thread.preview;
  if (!last) return h("p", { class: "thread-row-preview truncate grow quiet" }, thread.subject || "No message yet");
  const { kind, name } = last.author;
  const mine = kind === "operator" && name === state.me?.name;
  const who = mine
    ? "You"
    : kind === "agent"
      ? last.visibility === "draft"
        ? "AI drafts"
        : "AI"
      : kind === "operator"
        ? firstName(name)
        : kind === "system"
          ? "Desk"
          : "";
  return h(
    "p",
    { class: "thread-row-preview truncate grow" },
    last.visibility === "note" && h("span", { class: "row-lock", role: "img", "aria-label": "Note" }, icon("lock", true)),
    kind === "agent" && avatar("agent", "AI", { size: "mini" }),
    kind === "operator" && avatar("operator", mine ? state.me?.name : name, { size: "mini" }),
    who && h("b", null, `${who}: `),
    last.text,
  );
}

/** The first kind with its word, more as icons. @param {Thread} thread */
function kinds(thread) {
  const waiting = (thread.requests ?? []).filter(isWaiting);
  const kinds = [...new Set(waiting.map((one) => faceOf(one).name))].sort((a, b) => URGENCY.indexOf(a) - URGENCY.indexOf(b));
  return kinds.map((kind, i) => {
    const count = waiting.filter((one) => faceOf(one).name === kind).length;
    return h(
      "span",
      { class: `kind kind--${kind}`, key: kind, title: `Open ${kind}` },
      icon(kind),
      i === 0 ? capital(kind) : h("span", { class: "sr" }, capital(kind)),
      count > 1 && ` ${count}`,
    );
  });
}

/** What runs out first, else how long the customer waits. @param {import("./state.js").State} state @param {Thread} thread */
function rowClock(state, thread) {
  if (thread.status === "resolved") return h("span", { class: "clock clock--met" }, icon("check"), "resolved");
  if (thread.status === "snoozed") {
    const words = thread.snoozed_until ? `until ${until(thread.snoozed_until, state.now)}` : "until they write";
    return h("span", { class: "clock", title: `Snoozed ${words}` }, icon("snooze"), h("span", { class: "sr" }, "Snoozed "), words);
  }
  const timed = (thread.requests ?? []).filter((one) => isWaiting(one) && !Number.isNaN(ms(one.expires_at)));
  const [first] = timed.sort((a, b) => ms(a.expires_at) - ms(b.expires_at));
  const clock = due(thread);
  if (clock && !(first && (Number.isNaN(dueAt(thread)) || ms(first.expires_at) < dueAt(thread)))) return clock;
  if (first) {
    const left = ms(first.expires_at) - state.now;
    if (left < 0) return h("span", { class: "clock clock--missed" }, icon("clock"), `${roughly(-left)} over`);
    const missed = first.missed ?? 0;
    const look = missed ? "clock clock--missed" : nearness(first, state.now) === "near" ? "clock clock--near" : "clock";
    const title = missed ? `${counted(missed, "deadline")} missed; the next one is at ${full(first.expires_at)}` : "Time left to decide";
    return h(
      "span",
      { class: look, title },
      icon("clock"),
      missed > 0 && "missed, ",
      roughly(left),
      h("span", { class: "sr" }, " left"),
    );
  }
  const since = ms(thread.waiting_since);
  if (Number.isNaN(since)) return null;
  return h("span", { class: "clock", title: "Waits for an answer" }, icon("clock"), `waits ${roughly(state.now - since)}`);
}

/** Fills the line where nothing runs. @param {Thread} thread */
function subject(thread) {
  const busy = (thread.requests ?? []).some(isWaiting);
  return !busy && thread.subject && h("span", { class: "thread-row-subject truncate" }, thread.subject);
}

/** @param {string | undefined} value */
export function priority(value) {
  if (!value) return null;
  const label = { role: "img", "aria-label": `Priority ${value}`, title: `Priority ${value}` };
  if (value === "urgent") return h("span", { class: "priority priority--urgent", ...label }, "!");
  return h("span", { class: `priority priority--${value}`, ...label }, h("i"), h("i"), h("i"));
}

/** @param {Desk} desk @param {Thread} thread */
function holder({ state }, thread) {
  const { to, name, id } = thread.assignment;
  const label = `Held by ${holderName(state, thread)}`;
  if (to === "ai") return avatar("agent", "AI", { size: "small", label });
  if (to === "queue") return avatar("queue", capital(name || id || "Q"), { size: "small", label });
  return avatar("operator", heldByMe(thread, state.me) ? state.me?.name : name, { size: "small", label });
}
