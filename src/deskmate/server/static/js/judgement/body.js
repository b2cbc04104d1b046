// Screens, judgement: the page below its header: what stands out, tiles, the curve, who responds and why, and what people could teach.

import { h } from "../core/dom.js";
import { broken } from "../core/parts.js";
import { percent } from "../board/words.js";
import { agentsCard, alarms, standCard } from "./agents.js";
import { curveCard, readoutCard } from "./curve.js";
import { reasonsCard, sharesCard, totalsOf } from "./shares.js";
import { topicsCard } from "./topics.js";
import { IN_WORDS, sinceOf } from "./url.js";

/** @typedef {import("./main.js").Judgement} Judgement */

/** @param {Judgement} page @param {any} agent the one that is looked at, if there is any */
export function body(page, agent) {
  const { agents, curve, shares, problems, chosen } = page.state;
  const now = Date.now();
  if (!agents) return loading();
  return h(
    "div",
    { class: "board-grid", key: "judgement" },
    alarms(agents, now),
    tiles(page, agents),
    !agents.length || agents.every((one) => !one.floor && !one.policy) ? beginning() : null,
    agent && (curve ? curveCard(page, agent, curve) : waiting("curve", "card--8", "The curve", problems.curve, page)),
    agent && h("div", { class: "board-column board-column--4", key: "column" }, curve && readoutCard(page, agent, curve), standCard(agent, curve, now)),
    shares ? sharesCard(shares, sinceOf(chosen, now), IN_WORDS[chosen.period], now) : waiting("shares", "card--6", "Who responds", problems.shares, page),
    shares && reasonsCard(shares, IN_WORDS[chosen.period]),
    agentsCard(page, agents, agent, now),
    topicsCard(page, now),
  );
}

/** @param {string} key @param {string} size @param {string} name @param {import("../core/api.js").Problem | undefined} problem @param {Judgement} page */
function waiting(key, size, name, problem, page) {
  if (problem) return h("section", { class: `card ${size}`, key: `broken:${key}` }, broken(name, problem, () => void page.load()));
  return h("div", { class: `card ${size} card--loading`, key: `wait:${key}`, role: "status", "aria-label": `Loading: ${name}` }, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" }));
}

function loading() {
  return h(
    "div",
    { class: "board-grid", role: "status", "aria-label": "Loading judgement", key: "loading" },
    h("div", { class: "tiles" }, Array.from({ length: 5 }, () => h("div", { class: "tile" }, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" })))),
    ["card--8", "card--4"].map((size) => h("div", { class: `card ${size} card--loading` }, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" }))),
  );
}

/** What one sees before anything is judged. */
function beginning() {
  return h(
    "section",
    { class: "callout callout--teach", key: "beginning", "aria-labelledby": "beginning-title" },
    h(
      "div",
      { class: "callout-body" },
      h("h2", { id: "beginning-title" }, "No agent is held to anything yet"),
      h("p", null, "A routing policy says who responds: people for what they want to see themselves, and the AI alone only where it is sure enough. How sure that is, is learned from checks: a person looks at a share of its answers, and the floor follows from what was right."),
      h("p", null, h("a", { class: "button button--primary", href: "/settings#route+" }, "Make a routing policy")),
    ),
  );
}

/** @param {string} name @param {any} value @param {any} words */
function tile(name, value, words) {
  return h("dl", { class: "tile", key: name }, h("dt", null, name), h("dd", null, value), h("dd", null, words));
}

/** @param {Judgement} page @param {any[]} agents */
function tiles({ state, workOf }, agents) {
  const { shares, topics, chosen } = state;
  const { ai, draft, human, all } = shares ? totalsOf(shares) : { ai: 0, draft: 0, human: 0, all: 0 };
  const checks = agents.reduce((sum, one) => sum + one.audits_open, 0);
  const open = (topics?.items ?? []).filter((/** @type {any} */ one) => !workOf(one).done);
  const of = (/** @type {number} */ count) => (all ? `${count.toLocaleString("en")} of ${all.toLocaleString("en")} messages` : `no messages ${IN_WORDS[chosen.period]}`);
  const share = (/** @type {number} */ count) => (all ? percent(count, all) : "–");
  return h(
    "div",
    { class: "tiles tiles--odd", key: "tiles" },
    tile("AI alone", share(ai), of(ai)),
    tile("AI drafts, people send", share(draft), of(draft)),
    tile("People", share(human), of(human)),
    tile("Checks", checks || "none", checks ? h("a", { href: "/inbox?assignment=all&kind=approval" }, checks === 1 ? "waits for a person" : "wait for a person") : "nothing waits to be checked"),
    tile("Topics", topics ? `${open.length}${topics.cursor ? "+" : ""}` : "–", open.length ? h("a", { href: "#topics" }, "could be answered by the AI") : "nothing is asked again and again"),
  );
}
