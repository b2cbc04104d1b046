// Screens, inbox: the header of a thread: what it is, who holds it, what waits, and the verbs on it.

import { h } from "../core/dom.js";
import { capital, duration, firstName, ms } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button, iconButton, pick } from "../core/parts.js";
import { priority } from "./row.js";
import { nearness } from "./deadline.js";
import { due } from "./due.js";
import { untilWords } from "./snoozing.js";
import { customerName, faceOf, heldByMe, holderName, isWaiting, othersOn, pendingRequests, subjectOf, works } from "./state.js";
import { tagsOf } from "./tags.js";
import { urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */

/** @type {[string, string][]} */
const MODES = [
  ["auto", "Mode auto"],
  ["review", "Mode review"],
  ["off", "Mode off"],
];
/** @type {[string, string][]} */
const PRIORITIES = [
  ["low", "Low"],
  ["normal", "Normal"],
  ["high", "High"],
  ["urgent", "Urgent"],
];

/** @param {Desk} desk @param {Thread} thread */
export function header(desk, thread) {
  const { state } = desk;
  return h(
    "header",
    { class: "thread-header", key: "header" },
    h(
      "div",
      { class: "thread-header-top" },
      h(
        "a",
        {
          class: "back",
          href: urlOf({ ...state.view, thread: null }),
          "aria-label": "Back to the list",
          onclick: desk.follow({ thread: null }),
        },
        icon("back"),
      ),
      h(
        "h1",
        { class: "thread-subject truncate grow", id: "subject", tabindex: "-1", title: subjectOf(state, thread) },
        subjectOf(state, thread),
      ),
      viewers(desk, thread),
      works(state) && snoozeButton(desk, thread),
      works(state) && resolveButton(desk, thread),
      iconButton(desk.contextShown() ? "Close context" : "Open context", "info", () => desk.toggleContext(), {
        id: "context-toggle",
        props: { "aria-expanded": desk.contextShown() ? "true" : "false" },
      }),
    ),
    facts(desk, thread),
    strip(desk, thread),
  );
}

/** @param {Desk} desk @param {Thread} thread */
function resolveButton({ state, verbs }, thread) {
  const busy = state.busy.has("change");
  const [words, name, act] =
    thread.status === "resolved"
      ? ["Reopen", "retry", () => verbs.change({ status: "open" })]
      : ["Resolve", "check", () => verbs.resolve(false)];
  return h(
    "button",
    { type: "button", class: "button", id: "resolve", disabled: busy, title: `${words} this thread`, onclick: act },
    icon(/** @type {string} */ (name)),
    h("span", { class: "small-sr" }, words),
  );
}

/** @param {Desk} desk @param {Thread} thread */
function snoozeButton(desk, thread) {
  const { state, verbs } = desk;
  if (thread.status === "resolved") return null;
  return thread.status === "snoozed"
    ? button("Wake now", () => verbs.change({ status: "open" }), { icon: "sun", id: "wake", disabled: state.busy.has("change") })
    : iconButton("Snooze (s)", "snooze", () => desk.dialog("snooze"), { look: "", id: "snooze" });
}

/** Who else is here, and what they do. @param {Desk} desk @param {Thread} thread */
function viewers({ state }, thread) {
  const others = othersOn(state, thread.id);
  const [first] = others;
  const words = first ? hereWords(others, thread) : "";
  return h(
    "span",
    {
      class: `viewers${first?.typing ? " viewers--typing" : ""}`,
      role: "status",
      id: "viewers",
      key: "viewers",
      title: words || undefined,
    },
    others
      .slice(0, 3)
      .map((one) =>
        h("span", { class: "viewer", key: `${one.kind}:${one.id ?? one.name}` }, avatar(one.kind, one.name, { size: "medium" })),
      ),
    words && h("span", { class: "viewers-words small-sr" }, words),
  );
}

/** "Ben is typing a note…" @param {import("../core/types.js").Viewer[]} others @param {Thread} thread */
function hereWords(others, thread) {
  const name = (/** @type {import("../core/types.js").Viewer} */ one) =>
    firstName(one.name) || (one.kind === "customer" ? customerName(thread) : "A colleague");
  const typing = others.filter((one) => one.typing);
  if (typing.length === 1) {
    const what = typing[0].kind === "customer" ? "" : typing[0].visibility === "note" ? " a note" : " a reply";
    return `${name(typing[0])} is typing${what}…`;
  }
  if (typing.length > 1) return `${typing.map(name).join(" and ")} are typing…`;
  if (others.length > 2) return `${name(others[0])} and ${others.length - 1} others are viewing`;
  return `${others.map(name).join(" and ")} ${others.length > 1 ? "are" : "is"} viewing`;
}

/** @param {Desk} desk @param {Thread} thread */
function facts(desk, thread) {
  const { state, verbs } = desk;
  const { to, name, id, reason } = thread.assignment;
  const since = ms(thread.waiting_since);
  const kind = to === "ai" ? "agent" : to;
  const face = to === "operator" && heldByMe(thread, state.me) ? state.me?.name : name || id;
  const may = works(state);
  return h(
    "div",
    { class: "thread-header-facts" },
    copyId(desk, thread.id),
    thread.priority &&
      pick("Priority", thread.priority, PRIORITIES, (value) => verbs.change({ priority: value }), {
        id: "priority",
        before: h("span", { "aria-hidden": "true", class: "pick-mark" }, priority(thread.priority)),
        disabled: !may,
      }),
    h(
      "button",
      {
        type: "button",
        class: "button button--plain button--small holder",
        id: "assign",
        title: [reason && `Because: ${reason}.`, may && "Assign (#)"].filter(Boolean).join(" ") || undefined,
        disabled: !may,
        "aria-haspopup": may ? "dialog" : undefined,
        onclick: () => desk.dialog("assign"),
      },
      h("span", { class: "sr" }, "Held by "),
      avatar(kind, face, { size: "small" }),
      h("span", { class: "truncate" }, to === "queue" ? `Queue ${name || id}` : capital(holderName(state, thread))),
      may && [h("span", { class: "sr" }, ", assign"), icon("down", true)],
    ),
    thread.queue &&
      to !== "queue" &&
      h(
        "span",
        { class: "thread-queue", title: `Queue ${thread.queue}` },
        h("span", { class: "sr" }, "Queue "),
        avatar("queue", thread.queue, { size: "small" }),
        thread.queue,
      ),
    thread.mode && pick("Mode", thread.mode, MODES, (value) => verbs.change({ mode: value }), { id: "mode", disabled: !may }),
    thread.status === "snoozed" &&
      h(
        "span",
        { class: "badge badge--snoozed" },
        icon("snooze", true),
        `Snoozed ${untilWords(thread.snoozed_until, state.now)}`,
      ),
    thread.status === "resolved" && h("span", { class: "badge" }, "Resolved"),
    !thread.tags?.length && tagsOf(desk, thread),
    due(thread, { named: true }),
    thread.status !== "snoozed" &&
      !Number.isNaN(since) &&
      h("span", { class: "clock" }, icon("clock"), h("span", null, `Waits ${duration(state.now - since)}`)),
    // Where there are many they take a line of their own.
    Boolean(thread.tags?.length) && tagsOf(desk, thread),
  );
}

/** @param {Desk} desk @param {string} id */
function copyId(desk, id) {
  const copied = desk.copied() === id;
  return h(
    "button",
    {
      type: "button",
      class: "thread-id button button--plain button--small",
      id: "copy-id",
      title: `${id}: copy`,
      "aria-label": copied ? `${shortId(id)}, copied` : `${shortId(id)}, copy the id of this thread`,
      onclick: () => desk.copy(id),
    },
    copied ? "Copied" : shortId(id),
    icon(copied ? "check" : "copy", true),
  );
}

/** @param {string} id */
function shortId(id) {
  return id.length > 12 ? `${id.slice(0, 9)}…` : id;
}

/** Open requests stay one click away. @param {Desk} desk @param {Thread} thread */
function strip(desk, thread) {
  const waiting = pendingRequests(desk.state, thread.id);
  if (!waiting.length) return null;
  return h(
    "nav",
    { class: "request-strip", "aria-label": "Open requests of this thread" },
    h("span", { class: "not-small" }, "Waits for people:"),
    waiting.map((request) => {
      const left = ms(request.expires_at) - desk.state.now;
      const face = faceOf(request);
      const words = !isWaiting(request) ? "in doubt" : Number.isNaN(left) ? "no limit" : left < 0 ? "overdue" : duration(left);
      const near = isWaiting(request) ? nearness(request, desk.state.now) : "missed";
      return h(
        "a",
        {
          key: request.id,
          href: `#request-${request.id}`,
          "aria-current": desk.state.focusCard === request.id ? "true" : undefined,
          onclick: (/** @type {Event} */ event) => {
            event.preventDefault();
            desk.focusOn(request.id);
          },
        },
        h("span", { class: `kind kind--${face.name}` }, icon(face.name), face.word),
        h("span", { class: `strip-time strip-time--${near}` }, words),
      );
    }),
  );
}
