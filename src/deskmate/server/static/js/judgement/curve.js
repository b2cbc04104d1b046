// Screens, judgement: the curve with its handle: what another floor would do, in words, in a picture and as a table.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button, pick } from "../core/parts.js";
import { table } from "../board/charts.js";
import { frameOf, plot } from "./plot.js";
import { DELTAS, ERRORS } from "./url.js";
import { certainty, differenceOf, percent, pointAt, score, sentenceOf, small, verdict } from "./words.js";

/** @typedef {import("./words.js").Point} Point */
/** @typedef {import("./words.js").Curve} Curve */
/** @typedef {import("./main.js").Judgement} Judgement */

/** Where the floor of today is on the curve, and where the handle is. @param {Judgement} page @param {any} agent @param {Curve} curve */
function placesOn({ state }, agent, curve) {
  const today = pointAt(curve, agent.floor?.value);
  const start = today ?? pointAt(curve, curve.floor) ?? curve.points[0];
  return { today, at: pointAt(curve, state.at) ?? start };
}

/** @param {Judgement} page @param {any} agent @param {Curve} curve */
export function curveCard(page, agent, curve) {
  const { state } = page;
  const { today, at } = placesOn(page, agent, curve);
  return h(
    "section",
    { class: "card card--8", key: "curve", "aria-labelledby": "curve-title" },
    h("h2", { id: "curve-title" }, "How far the AI may go"),
    curve.points.length
      ? [
          h("p", { class: "card-lead" }, `${counted(curve.labels, "checked answer")} of ${agent.agent}. Move the floor to see what it would do; nothing changes by that.`),
          asked(page, curve),
          legend(curve, today),
          h("div", { class: "curve-frame", key: "frame" }, plot({ curve, today, at, title: sentenceOf(at, curve), frame: frameOf(state.narrow), choose: (coverage) => page.move(nearest(curve, coverage).floor) }), handle(page, curve, at)),
          numbers(curve, today),
        ]
      : nothing(agent, curve),
  );
}

/** What is accepted: as the policy says, or as one asks here. @param {Judgement} page @param {Curve} curve */
function asked({ state, choose }, curve) {
  const errors = [...new Set([...ERRORS, curve.max_error])].sort((a, b) => a - b);
  const deltas = [...new Set([...DELTAS, curve.delta])].sort((a, b) => b - a);
  const own = state.chosen.maxError !== null || state.chosen.delta !== null;
  return h(
    "div",
    { class: "curve-asked", key: "asked" },
    pick("Wrong at most", String(curve.max_error), errors.map((one) => [String(one), small(one)]), (value) => choose({ maxError: Number(value) }), { id: "max-error", before: h("span", { "aria-hidden": "true" }, "Wrong at most") }),
    pick("Certainty", String(curve.delta), deltas.map((one) => [String(one), certainty(one)]), (value) => choose({ delta: Number(value) }), { id: "delta", before: h("span", { "aria-hidden": "true" }, "Certainty") }),
    own && button("As the policy says", () => choose({ maxError: null, delta: null }), { look: "plain small" }),
  );
}

/** Lines are told by how they are drawn, not by colour alone. @param {Curve} curve @param {Point | null} today */
function legend(curve, today) {
  const swatch = (/** @type {any} */ drawn) => h("svg", { class: "chart legend-mark", viewBox: "0 0 22 10", "aria-hidden": "true" }, drawn);
  return h(
    "ul",
    { class: "legend", key: "legend" },
    h("li", null, swatch(h("path", { class: "series c-agent", d: "M1 5H21" })), "wrong when checked"),
    h("li", null, swatch(h("path", { class: "series c-agent dash", d: "M1 5H21" })), `at most, with ${certainty(curve.delta)} certainty`),
    h("li", null, swatch(h("path", { class: "series curve-accepted", d: "M1 5H21" })), "accepted"),
    curve.floor !== null && h("li", null, swatch(h("rect", { class: "curve-allowed curve-allowed--mark", x: 1, y: 0, width: 20, height: 10 })), "within what is accepted"),
    today && h("li", null, swatch(h("path", { class: "series curve-floor curve-floor--today", d: "M11 0V10" })), "today"),
  );
}

/** @param {Curve} curve @param {number} coverage */
function nearest({ points }, coverage) {
  return points.reduce((best, one) => (Math.abs(one.coverage - coverage) < Math.abs(best.coverage - coverage) ? one : best));
}

/** The slider stands where the points do, and a key goes to the next one. @param {Judgement} page @param {Curve} curve @param {Point} at */
function handle(page, curve, at) {
  const { points } = curve;
  const last = points.length - 1;
  /** Keys come faster than the page is drawn: they go from where the last one went. @param {string} key */
  const next = (key) => {
    const place = points.indexOf(pointAt(curve, page.state.at) ?? at);
    return { ArrowRight: place + 1, ArrowUp: place + 1, ArrowLeft: place - 1, ArrowDown: place - 1, PageUp: place + 5, PageDown: place - 5, Home: 0, End: last }[key];
  };
  return h("input", {
    type: "range",
    class: "curve-handle",
    id: "floor",
    min: 0,
    max: 1000,
    value: String(Math.round(at.coverage * 1000)),
    "aria-label": "Floor: the score from which on the AI answers alone",
    "aria-valuetext": sentenceOf(at, curve),
    oninput: (/** @type {any} */ event) => {
      const found = nearest(curve, Number(event.target.value) / 1000);
      event.target.value = String(Math.round(found.coverage * 1000));
      page.move(found.floor);
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const to = next(event.key);
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      page.move(points[Math.min(last, Math.max(0, to))].floor);
    },
  });
}

/** What the floor would do, as one would say it. @param {Judgement} page @param {any} agent @param {Curve} curve */
export function readoutCard(page, agent, curve) {
  if (!curve.points.length) return null;
  const { today, at } = placesOn(page, agent, curve);
  const found = verdict(at, curve);
  const difference = differenceOf(at, today, curve);
  const best = pointAt(curve, curve.floor);
  const { move } = page;
  return h(
    "section",
    { class: `card readout readout--${found.look}`, key: "readout", "aria-label": "What this floor does" },
    h("p", { class: "readout-verdict" }, icon(found.icon), h("b", null, found.words)),
    h("p", { class: "readout-words" }, sentenceOf(at, curve)),
    difference && h("p", { class: "readout-more" }, difference),
    curve.floor === null && h("p", { class: "readout-more" }, "No floor is certain enough yet for what is accepted here."),
    h(
      "div",
      { class: "readout-ways" },
      today && at !== today && button("Back to today", () => move(today.floor), { look: "small" }),
      best && at !== best && best !== today && button(`The lowest that is certain: ${score(best.floor)}`, () => move(best.floor), { look: "small" }),
      agent.policy && h("a", { href: `/settings#route/${encodeURIComponent(agent.policy)}` }, "Change the policy"),
    ),
  );
}

/** @param {Curve} curve @param {Point | null} today */
function numbers(curve, today) {
  return table(
    ["Floor", "AI alone", "Checked", "Wrong", "Wrong, at most"],
    curve.points.map((one) => [`${score(one.floor)}${one === today ? ", today" : ""}`, percent(one.coverage), one.labels, one.labels ? `${one.errors} (${small(one.errors / one.labels)})` : "0", small(one.bound)]),
  );
}

/** @param {any} agent @param {Curve} curve */
function nothing(agent, curve) {
  const share = agent.audit_rate > 0 ? percent(agent.audit_rate) : null;
  return h(
    "div",
    { class: "teach", key: "nothing" },
    h("p", { class: "card-lead" }, "The curve is drawn from checked answers, and there are none yet."),
    h(
      "ol",
      { class: "teach-steps" },
      h("li", null, h("b", null, "Checked by chance. "), share === "100 %" ? "Until the AI may answer alone, every one of its answers goes to a person first." : share ? `${share} of the messages, whatever their score, go to a person with the AI's draft.` : "A share of the messages goes to a person with the AI's draft. This agent has no such share yet."),
      h("li", null, h("b", null, "Judged by people. "), "What is sent as it is was right; what is rewritten or rejected was wrong."),
      h("li", null, h("b", null, "Held to what you accept. "), `The AI answers alone from the lowest score at which at most ${small(curve.max_error)} is wrong, with ${certainty(curve.delta)} certainty.${agent.needed ? ` That takes ${agent.needed} answers in which nothing is wrong.` : ""}`),
    ),
  );
}
