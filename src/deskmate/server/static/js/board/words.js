// Screens, board: numbers as people say them, each with its unit and with what it is a part of.

import { h } from "../core/dom.js";
import { full, iso } from "../core/format.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time: "45 s", "12 min", "1 h 05 min", "2 d 3 h" @param {number | null} seconds */
export function span(seconds) {
  if (seconds === null || Number.isNaN(seconds)) return "none";
  const left = Math.max(0, Math.round(seconds));
  if (left < MINUTE) return `${left} s`;
  if (left < HOUR) return `${Math.round(left / MINUTE)} min`;
  const minutes = Math.floor((left % HOUR) / MINUTE);
  if (left < DAY) return `${Math.floor(left / HOUR)} h${minutes ? ` ${String(minutes).padStart(2, "0")} min` : ""}`;
  const hours = Math.floor((left % DAY) / HOUR);
  return `${Math.floor(left / DAY)} d${hours ? ` ${hours} h` : ""}`;
}

/** "50 %" @param {number} part @param {number} whole */
export function percent(part, whole) {
  if (!whole) return "0 %";
  const share = Math.round((100 * part) / whole);
  if (share === 0 && part) return "under 1 %";
  return `${share === 100 && part < whole ? 99 : share} %`;
}

/** A share as one says it, at the beginning of a sentence. @param {number} part @param {number} whole */
export function shareWords(part, whole) {
  const share = part / whole;
  if (part === whole) return "All";
  for (const [value, words] of /** @type {[number, string][]} */ ([[0.5, "Half"], [1 / 3, "A third"], [2 / 3, "Two thirds"], [0.75, "Three quarters"]])) {
    if (Math.abs(share - value) < 0.005) return `${words} of all`;
  }
  return `${percent(part, whole)} of all`;
}

/** How long ago or for how long, with the exact time where one points. @param {any} time @param {number} now @param {string} [after] */
export function since(time, now, after = "") {
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return h("span", { class: "quiet" }, "nobody");
  return h("time", { datetime: iso(time), title: full(time) }, `${span((now - at) / 1000)}${after}`);
}

/** What is broken, in words. @param {any} cause */
export function causeWords({ tool, reason }) {
  return tool ? `${tool} failed` : reason;
}

/** Whom it comes from. @param {any} cause */
export function agentWords({ agent }) {
  return agent ?? "customers and the team";
}

/** With a full stop, unless the words end with what was left out. @param {string} words */
export function sentence(words) {
  return words.endsWith("…") ? words : `${words}.`;
}
