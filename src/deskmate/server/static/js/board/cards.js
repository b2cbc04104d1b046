// Screens, board: the tiles at the top, who answered, and how long it took until a person came.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { lines, stacks, table } from "./charts.js";
import { percent, since, span } from "./words.js";

const hourFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const LATE = 30 * 60;
const TOO_LATE = 2 * 60 * 60;

/** @param {string} name @param {any} value @param {any} words @param {string} [look] */
function tile(name, value, words, look = "") {
  return h("dl", { class: `tile${look && ` tile--${look}`}`, key: name }, h("dt", null, name), h("dd", null, value), h("dd", null, words));
}

/** "€ 12.40" @param {number} minor @param {string} currency */
function money(minor, currency) {
  const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** @param {any} board @param {number} at @param {string} words */
export function tiles({ now, period }, at, words) {
  const requests = now.requests.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  const queued = now.queues.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  const { waiting, waiting_since: oldest } = now.threads;
  const waited = oldest ? (at - Date.parse(oldest)) / 1000 : 0;
  const { threads: all, escalations, waits } = period;
  const hands = now.operators.filter((/** @type {any} */ one) => one.presence === "available").length;
  return h(
    "div",
    { class: "tiles", key: "tiles" },
    tile("Waiting for people", `${waiting}${now.more ? " or more" : ""}`, `threads; ${queued} in queues, ${counted(requests, "open request")}`),
    tile(
      "Longest wait",
      oldest ? since(oldest, at) : "none",
      oldest ? "for a person" : "nobody waits",
      waited > TOO_LATE ? "missed" : waited > LATE ? "near" : "",
    ),
    tile(
      "Response times",
      now.due.late ? `${now.due.late} late` : now.due.soon ? `${now.due.soon} near` : "kept",
      now.due.late || now.due.soon ? `${now.due.soon} more due within the hour` : "nothing is due within the hour",
      now.due.late ? "missed" : now.due.soon ? "near" : "",
    ),
    tile("AI alone", percent(all.ai, all.count), `${all.ai} of ${counted(all.count, "thread")}`),
    tile("Escalated", percent(all.escalated, all.count), `${counted(escalations.count, "escalation")}${escalations.more ? " and more" : ""} ${words}`),
    tile("Until a person came", span(waits.median_seconds), waits.count ? `half of ${waits.count}; 9 of 10 in ${span(waits.p90_seconds)}` : "nobody was needed"),
    tile("Human time", period.human_seconds ? span(period.human_seconds) : "none yet", `${counted(hands, "person", "people")} there now, of ${now.operators.length}`),
    period.costs.map((/** @type {any} */ one) =>
      tile(`Cost in ${one.currency}`, money(one.ai_minor + one.people_minor, one.currency), `AI ${money(one.ai_minor, one.currency)}, people ${money(one.people_minor, one.currency)}`),
    ),
  );
}

/** @param {any} period */
function labelOf({ step_seconds: step }) {
  return (/** @type {any} */ { at }) => (step < 86_400 ? hourFormat : dayFormat).format(Date.parse(at));
}

/** @param {string} key @param {string} title @param {string} lead @param {...any} body */
function card(key, title, lead, ...body) {
  return h(
    "section",
    { class: "card card--6", key, "aria-labelledby": `${key}-title` },
    h("h2", { id: `${key}-title` }, title),
    h("p", { class: "card-lead" }, lead),
    body,
  );
}

/** @param {any} period @param {string} words */
export function answered(period, words) {
  const { count, ai, people, more, steps } = period.threads;
  if (!count) return card("answered", "Who answered", `No conversation began ${words}.`);
  const labels = steps.map(labelOf(period));
  const open = count - ai - people;
  const lead = `The AI alone answered ${percent(ai, count)} of ${counted(count, "thread")}${more ? ", the newest" : ""}; people had a hand in ${percent(people, count)}${open ? `, ${open} ${open === 1 ? "waits" : "wait"} for an answer` : ""}.`;
  const left = (/** @type {any} */ one) => one.count - one.ai - one.people;
  return card(
    "answered",
    "Who answered",
    lead,
    stacks({
      id: "answered-chart",
      title: lead,
      labels,
      parts: [
        { name: `AI ${percent(ai, count)}`, look: "agent", values: steps.map((/** @type {any} */ one) => one.ai) },
        { name: `people ${percent(people, count)}`, look: "operator", values: steps.map((/** @type {any} */ one) => one.people) },
        { name: `nobody yet ${percent(open, count)}`, look: "draft", values: steps.map(left) },
      ],
    }),
    table(
      ["Since", "Threads", "AI alone", "People", "Nobody yet", "Escalated"],
      steps.map((/** @type {any} */ one, /** @type {number} */ at) => [labels[at], one.count, one.ai, one.people, left(one), one.escalated]),
    ),
  );
}

/** @param {any} period @param {string} words */
export function waits(period, words) {
  const { count, median_seconds: median, p90_seconds: p90, steps } = period.waits;
  if (!count) return card("waits", "Time to a person", `Nobody had to wait for a person ${words}.`);
  const labels = steps.map(labelOf(period));
  const lead = `Half of ${counted(count, "wait")} ended within ${span(median)}, nine of ten within ${span(p90)}.`;
  const minutes = (/** @type {number | null} */ seconds) => (seconds === null ? null : seconds / 60);
  return card(
    "waits",
    "Time to a person",
    lead,
    lines({
      id: "waits-chart",
      title: lead,
      labels,
      unit: (value) => (value >= 120 ? `${Math.round(value / 6) / 10} h` : `${Math.round(value * 10) / 10} min`),
      series: [
        { name: "9 of 10", look: "approval", line: "dash", values: steps.map((/** @type {any} */ one) => minutes(one.p90_seconds)) },
        { name: "half", look: "operator", values: steps.map((/** @type {any} */ one) => minutes(one.median_seconds)) },
      ],
    }),
    table(
      ["Since", "Waits", "Median", "90th percentile"],
      steps.map((/** @type {any} */ one, /** @type {number} */ at) => [labels[at], one.count, one.count ? span(one.median_seconds) : "", one.count ? span(one.p90_seconds) : ""]),
    ),
  );
}

