// Screens, inbox: who responds on a thread and why: each step that had something to say, the score and its floor, and checks.

import { h } from "../core/dom.js";
import { ago, capital, clock, counted, full, iso, ms, sameDay } from "../core/format.js";
import { icon } from "../core/icons.js";
import { confidence } from "./suggestion.js";

/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Route} Route */
/** @typedef {import("./state.js").State} State */

const RESPONDERS = { ai: "The AI answers", draft: "The AI drafts, a person sends", human: "People answer" };
/** @type {Record<string, string>} */
const STEPS = {
  assignment: "Who holds it",
  rules: "Rules",
  safety: "Safety gate",
  audit: "Check",
  classifier: "Classifier",
  examples: "Examples",
  confidence: "Confidence",
  tool: "The agent",
  default: "Otherwise",
};

/** The newest first: as they were loaded, or the one that came with the thread. @param {State} state @param {Thread} thread @returns {Route[]} */
export function routesOf(state, thread) {
  const { routes = [] } = state.conversations.get(thread.id) ?? {};
  return routes.length ? routes : thread.route?.reason ? [thread.route] : [];
}

/** @param {State} state @param {Thread} thread */
export function routeView(state, thread) {
  const [route, ...before] = routesOf(state, thread);
  if (!route) return null;
  return h(
    "div",
    { class: "route", key: "route" },
    h("p", { class: "route-head" }, icon("route"), h("span", null, h("b", null, `${RESPONDERS[route.responder] ?? "Decided"}.`), ` ${capital(route.reason)}.`, route.audited && [" ", checkBadge()])),
    typeof route.score === "number" && confidence(route.score, route.floor ?? null, "Score", route.floor_version ? `, version ${route.floor_version}` : ""),
    steps(route),
    before.length > 0 &&
      h(
        "details",
        { class: "choices-before" },
        h("summary", null, `${counted(before.length, "decision")} before`),
        h("ol", null, before.map((one) => h("li", { key: one.id }, h("b", null, `${RESPONDERS[one.responder]}, ${when(one.at, state.now)}.`), ` ${capital(one.reason)}.`, one.audited && [" ", checkBadge()]))),
      ),
  );
}

/** @param {any} time @param {number} now */
function when(time, now) {
  return sameDay(time, now) ? clock(time) : `${ago(time, now)} ago`;
}

const checkBadge = () => h("span", { class: "badge badge--check" }, icon("eye", true), "chosen for a check");

/** What had something to say, in the order in which it was asked; the last one decided. @param {Route} route */
function steps({ steps = [], at }) {
  if (steps.length < 2) return null;
  return h(
    "ol",
    { class: "route-steps", "aria-label": "How that was decided" },
    steps.map((one, i) =>
      h(
        "li",
        { class: one.decides ? "route-step route-step--decides" : "route-step", key: `${i}` },
        h("b", null, STEPS[one.step] ?? capital(one.step)),
        h("span", null, capital(one.reason), one.decides && h("span", { class: "route-decides" }, " Decided", at && [" ", h("time", { datetime: iso(at), title: full(at) }, clock(at))], ".")),
      ),
    ),
  );
}

/** Whether this draft is in front of a person by chance, to see how good the AI is. @param {State} state @param {Thread} thread @param {Request} request */
export function isCheck(state, thread, request) {
  if (!request.draft || request.tool) return false;
  const route = routesOf(state, thread).find((one) => Number.isNaN(ms(one.at)) || ms(one.at) <= ms(request.created_at) + 1000);
  return route?.audited === true;
}

/** What a check is for, to whoever makes it. */
export function checkView() {
  return h(
    "p",
    { class: "request-check", key: "check" },
    icon("eye"),
    h("span", null, h("b", null, "Chosen by chance for a check."), " Send it as it is if it is right, edit or reject it if it is not: what you decide shows how far the AI may go."),
  );
}
