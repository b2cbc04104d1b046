// Screens, inbox: the header of a thread: what it is, who holds it, what waits, and the verbs on it.

import { h } from "../core/dom.js";
import { capital, duration, ms } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button, iconButton, pick } from "../core/parts.js";
import { priority } from "./row.js";
import { nearness } from "./deadline.js";
import { faceOf, heldByMe, holderName, isWaiting, pendingRequests, subjectOf } from "./state.js";
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
  const { state, verbs } = desk;
  const mine = heldByMe(thread, state.me);
  const busy = state.busy.has("assign");
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
      mine
        ? button("Hand back", () => desk.dialog("hand_back"), {
            icon: "route",
            class: "not-small",
            id: "hand-back",
            disabled: busy,
            title: "Hand back to the AI",
          })
        : button("Take over", verbs.takeOver, {
            icon: "person",
            class: "not-small",
            id: "take-over",
            disabled: busy,
            title: "Take over (t)",
          }),
      resolveButton(desk, thread),
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
function facts({ state, verbs }, thread) {
  const { to, name, id, reason } = thread.assignment;
  const since = ms(thread.waiting_since);
  const kind = to === "ai" ? "agent" : to;
  const face = to === "operator" && heldByMe(thread, state.me) ? state.me?.name : name || id;
  return h(
    "div",
    { class: "thread-header-facts" },
    h("span", { class: "thread-id", title: thread.id }, shortId(thread.id)),
    h(
      "span",
      { class: "holder", title: reason ? `Because: ${reason}` : undefined },
      h("span", { class: "sr" }, "Held by "),
      avatar(kind, face, { size: "small" }),
      capital(holderName(state, thread)),
    ),
    thread.priority &&
      pick("Priority", thread.priority, PRIORITIES, (value) => verbs.change({ priority: value }), {
        id: "priority",
        before: h("span", { "aria-hidden": "true", class: "pick-mark" }, priority(thread.priority)),
      }),
    thread.mode && pick("Mode", thread.mode, MODES, (value) => verbs.change({ mode: value }), { id: "mode" }),
    thread.status !== "open" && h("span", { class: "badge" }, capital(thread.status)),
    !Number.isNaN(since) && h("span", { class: "clock" }, icon("clock"), h("span", null, `Waits ${duration(state.now - since)}`)),
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
