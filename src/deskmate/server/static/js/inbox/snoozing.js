// Screens, inbox: let a thread rest: for an hour, until tomorrow, until Monday, until its customer writes, or until a time of one's own.

import { h } from "../core/dom.js";
import { clock, dayLabel, ms, sameDay } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { openThread } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */

let own = "";
let error = "";

/** @param {Desk} desk */
export function beginSnoozing(desk) {
  own = local(tomorrow(desk.state.now));
  error = "";
}

/** @param {Desk} desk */
export function snoozing(desk) {
  const { state } = desk;
  const thread = openThread(state);
  if (!thread) return null;
  const busy = state.busy.has("change");
  const rest = async (/** @type {number | null} */ until) => {
    error = await desk.verbs.snooze(until);
    if (!error) desk.dialog(null);
    desk.changed();
  };
  const at = Date.parse(own);
  return h(
    "form",
    {
      class: "dialog-form snoozing",
      key: "snoozing",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (Number.isNaN(at)) error = "Choose a date and a time.";
        else if (at <= Date.now()) error = "This time has passed already.";
        else return void rest(at);
        desk.changed();
      },
    },
    h("h2", null, "Snooze until"),
    h(
      "div",
      {
        class: "snooze-ways",
        role: "group",
        "aria-label": "Snooze until",
        onkeydown: walk,
      },
      ways(state.now).map(([words, until], i) =>
        h(
          "button",
          {
            type: "button",
            class: "snooze-way",
            disabled: busy,
            autofocus: i === 0,
            onclick: () => void rest(until),
          },
          h("span", { class: "grow" }, words),
          h("span", { class: "quiet" }, until === null ? "" : clockOf(until, state.now)),
          h("kbd", { "aria-hidden": "true" }, String(i + 1)),
        ),
      ),
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: "snooze-at" }, "A date and a time"),
      h(
        "div",
        { class: "snooze-own" },
        h("input", {
          class: "input",
          id: "snooze-at",
          type: "datetime-local",
          value: own,
          min: local(state.now),
          oninput: (/** @type {any} */ event) => {
            own = event.target.value;
            desk.changed();
          },
        }),
        button("Snooze", () => undefined, { type: "submit", disabled: busy }),
      ),
    ),
    error && h("p", { class: "field-error", role: "alert" }, icon("info", true), error),
    h("p", { class: "quiet" }, "It opens again at its time, or when the customer writes, for whoever holds it."),
  );
}

/** Arrow keys go through the ways, and a digit takes one. @param {KeyboardEvent} event */
function walk(event) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".snooze-way")]);
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const here = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (step) {
    event.preventDefault();
    all[(here + step + all.length) % all.length]?.focus();
  } else if (/^[1-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) all[Number(event.key) - 1]?.click();
}

/** @param {number} now @returns {[string, number | null][]} */
function ways(now) {
  return [
    ["In 1 hour", now + 3_600_000],
    ["Tomorrow", tomorrow(now)],
    ["Next Monday", monday(now)],
    ["Until the customer writes", null],
  ];
}

/** @param {number} now */
function tomorrow(now) {
  const at = new Date(now);
  at.setDate(at.getDate() + 1);
  return at.setHours(9, 0, 0, 0);
}

/** @param {number} now */
function monday(now) {
  const at = new Date(now);
  at.setDate(at.getDate() + ((8 - at.getDay()) % 7 || 7));
  return at.setHours(9, 0, 0, 0);
}

/** For a field of a date and a time: as the clock on the wall has it. @param {number} at */
function local(at) {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {number} at @param {number} now */
function clockOf(at, now) {
  if (sameDay(at, now)) return clock(at);
  return `${sameDay(at, tomorrow(now)) ? "tomorrow" : dayLabel(at, now)}, ${clock(at)}`;
}

/** "until 14:00", "until Monday 30 November, 09:00", "until the customer writes" @param {any} until @param {number} now */
export function untilWords(until, now) {
  const at = ms(until);
  if (Number.isNaN(at)) return "until the customer writes";
  return `until ${clockOf(at, now)}`;
}
