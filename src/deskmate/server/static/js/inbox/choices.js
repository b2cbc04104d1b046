// Screens, inbox: why a thread came to whom it came to, and not to somebody else.

import { h } from "../core/dom.js";
import { capital, clock, dayLabel, ms, sameDay } from "../core/format.js";

/** @typedef {import("../core/types.js").Choice} Choice */

/** The last choice in full, the ones before it in a line each. @param {import("./state.js").State} state @param {Choice[]} choices */
export function choicesView(state, choices) {
  const [last, ...before] = [...choices].sort((a, b) => ms(b.created_at) - ms(a.created_at));
  if (!last) return null;
  return h(
    "div",
    { class: "choices", key: "choices" },
    sentence(state, last),
    table(state, last),
    before.length > 0 &&
      h(
        "details",
        { class: "choices-before" },
        h("summary", null, before.length === 1 ? "One choice before" : `${before.length} choices before`),
        h(
          "ol",
          null,
          before.map((choice) => h("li", { key: choice.id }, sentence(state, choice))),
        ),
      ),
  );
}

/** @param {import("./state.js").State} state @param {Choice} choice */
function sentence({ me, now }, choice) {
  const mine = choice.operator.id === me?.id;
  const when = sameDay(choice.created_at, now)
    ? clock(choice.created_at)
    : `${dayLabel(choice.created_at, now)}, ${clock(choice.created_at)}`;
  return h(
    "p",
    { class: "choice" },
    h("b", null, `${mine ? "You were" : `${choice.operator.name} was`} chosen at ${when}.`),
    ` ${capital(choice.reason)}.${choice.request ? " For a request on it." : ""}`,
    choice.missed_at && h("span", { class: "choice-missed" }, ` Let it lie until ${clock(choice.missed_at)}.`),
  );
}

/** @param {import("./state.js").State} state @param {Choice} choice */
function table({ me }, choice) {
  if (!choice.candidates.length) return null;
  const rank = (/** @type {import("../core/types.js").Candidate} */ one) =>
    one.operator === choice.operator.id ? 0 : one.operator === me?.id ? 1 : one.fits ? 2 : 3;
  const sorted = [...choice.candidates].sort((a, b) => rank(a) - rank(b));
  return h(
    "table",
    { class: "candidates" },
    h("caption", { class: "sr" }, `Who could have been given this, in the queue ${choice.queue}`),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["Who", "Load", "Why"].map((one) => h("th", { scope: "col" }, one)),
      ),
    ),
    h(
      "tbody",
      null,
      sorted.slice(0, 12).map((one) =>
        h(
          "tr",
          {
            key: one.operator,
            class: one.operator === choice.operator.id ? "candidate--chosen" : one.fits ? undefined : "candidate--not",
          },
          h("th", { scope: "row" }, one.operator === me?.id ? "You" : one.name),
          h("td", { class: "candidate-load" }, `${one.load}/${one.capacity}`),
          h("td", null, one.why),
        ),
      ),
    ),
  );
}
