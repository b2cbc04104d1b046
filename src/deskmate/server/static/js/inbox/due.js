// Screens, inbox: by when somebody is due an answer. One timer writes all countdowns; the list is not drawn again for them.

import { h, render } from "../core/dom.js";
import { duration, full, ms, roughly } from "../core/format.js";
import { icon } from "../core/icons.js";

/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Clock} Clock */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** So close a deadline is near, and so much of its time being left. */
const CLOSE = 5 * MINUTE;
const SHARE = 0.2;
/** @type {Record<string, string>} */
export const TARGETS = {
  time_to_human: "Time to a person",
  first_response: "First response",
  next_response: "Next response",
  resolution: "Resolution",
};

/** The countdown of a thread; null where nothing is due. @param {Thread} thread @param {{named?: boolean}} [options] `named`: with the name of the target */
export function due(thread, { named = false } = {}) {
  const { clock } = thread;
  if (!clock || thread.status === "resolved") return null;
  const { target, due_at, paused, breached } = clock;
  if (paused && !breached && !named) return null; // What stands still hurries nobody: a list says nothing of it.
  const since = target === "resolution" ? thread.created_at : (thread.waiting_since ?? thread.assignment.since);
  return h("span", {
    key: ["due", target, due_at, paused, breached].join(":"),
    "data-due": paused || !due_at ? "paused" : String(ms(due_at)),
    "data-since": String(ms(since)),
    "data-target": target,
    "data-breached": breached,
    "data-named": named,
    ref: paint,
  });
}

/** What runs out first: the clock of the thread, where it runs at all. @param {Thread} thread @returns {number} NaN where none does */
export function dueAt({ clock, status }) {
  return clock && !clock.paused && status !== "resolved" ? ms(clock.due_at) : Number.NaN;
}

/** @param {HTMLElement} el */
function paint(el) {
  const { due: at = "", since, target = "", breached, named } = el.dataset;
  const name = TARGETS[target] ?? target;
  const { look, mark, words, said } = facing(at, Number(since), breached !== undefined, Date.now());
  if (el.dataset.said === words) return;
  el.dataset.said = words;
  el.className = `clock due${look ? ` clock--${look}` : ""}`;
  el.title = at === "paused" ? `${name}: the clock stands still` : `${name} due ${full(Number(at))}`;
  render(
    el,
    icon(mark),
    h("span", { class: named === undefined ? "sr" : "" }, `${name} `),
    h("span", null, words),
    said && h("span", { class: "sr" }, ` ${said}`),
  );
}

/** @param {string} at @param {number} since @param {boolean} breached @param {number} now @returns {{look: string, mark: string, words: string, said: string}} */
export function facing(at, since, breached, now) {
  if (at === "paused") return { look: breached ? "missed" : "paused", mark: "snooze", words: breached ? "missed" : "paused", said: "" };
  const left = Number(at) - now;
  if (left < 0) return { look: "missed", mark: "escalation", words: overrun(-left), said: "over" };
  const near = left < CLOSE || left < (Number(at) - since) * SHARE;
  return { look: near ? "near" : "", mark: "clock", words: left < HOUR / 2 && near ? duration(left) : roughly(left), said: "left" };
}

/** "+12m", "+3h", "+2d" @param {number} over */
function overrun(over) {
  if (over < HOUR) return `+${Math.max(1, Math.floor(over / MINUTE))}m`;
  return over < DAY ? `+${Math.floor(over / HOUR)}h` : `+${Math.floor(over / DAY)}d`;
}

setInterval(() => {
  if (!document.hidden) for (const el of document.querySelectorAll("[data-due]")) paint(/** @type {HTMLElement} */ (el));
}, 1000);
