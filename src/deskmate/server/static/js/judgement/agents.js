// Screens, judgement: where each agent stands: learning, answering alone from a floor, or held back by an alarm.

import { h } from "../core/dom.js";
import { ago, counted, full, iso } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { certainty, percent, score, small } from "./words.js";

/** @typedef {import("./main.js").Judgement} Judgement */
/** @typedef {{look: string, icon: string, word: string}} Stand */

/** @param {any} agent @returns {Stand} */
export function standOf({ floor, alarm }) {
  if (alarm || floor?.cause === "alarm") return { look: "missed", icon: "escalation", word: "Held back" };
  if (!floor) return { look: "none", icon: "info", word: "No floor" };
  if (floor.cause === "fixed") return { look: "none", icon: "lock", word: "Set by hand" };
  if (floor.cause === "cold" || floor.value === null) return { look: "near", icon: "clock", word: "Learning" };
  return { look: "ok", icon: "check", word: "Answers alone" };
}

/** @param {any} agent */
export function standBadge(agent) {
  const { look, icon: name, word } = standOf(agent);
  return h("span", { class: `stand stand--${look}` }, icon(name, true), word);
}

/** "33 more reviewed answers until the AI may answer alone" @param {number} needed */
const untilAlone = (needed) => `${counted(needed, "more reviewed answer")} until the AI may answer alone`;

/** An alarm is said at the top of the page. @param {any[]} agents @param {number} now */
export function alarms(agents, now) {
  return agents
    .filter((one) => one.alarm)
    .map(({ agent, alarm, floor }) =>
      h(
        "section",
        { class: "callout", key: `alarm:${agent}`, "aria-label": `Alarm for ${agent}` },
        h("span", { class: "callout-mark" }, icon("escalation")),
        h(
          "div",
          { class: "callout-body" },
          h("h2", null, `${agent} is wrong more often than it was`),
          h(
            "p",
            null,
            `${alarm.errors} of the last ${alarm.of} checked answers were wrong (${small(alarm.errors / alarm.of)}), seen `,
            h("time", { datetime: iso(alarm.at), title: full(alarm.at) }, since(alarm.at, now)),
            floor?.value === null || !floor ? ". It answers nothing alone until checks are clean again." : `. It answers alone only from ${score(floor.value)} on until checks are clean again.`,
          ),
          h("p", null, h("a", { href: CHECKS }, "Look at its drafts"), ": has something changed of which it knows nothing: a price, a product, a policy?"),
        ),
      ),
    );
}

const CHECKS = "/inbox?assignment=all&kind=approval";

/** @param {any} time @param {number} now */
const since = (time, now) => (ago(time, now) === "now" ? "just now" : `${ago(time, now)} ago`);

/** What made the floor what it is, where that is not plain. @type {Record<string, string>} */
const CAUSES = {
  refuted: " More checks have shown that the floor before it was luck.",
  refused: " What was checked so far proves no floor.",
  target: " Something else is accepted now: what was checked does not prove that yet.",
};

/** How the agent that is chosen stands, and what it is held to. @param {any} agent @param {import("./words.js").Curve | null} curve @param {number} now */
export function standCard(agent, curve, now) {
  const { floor } = agent;
  const checked = Math.max(curve?.labels ?? 0, floor?.labels ?? 0);
  return h(
    "section",
    { class: "card", key: "stand", "aria-labelledby": "stand-title" },
    h("div", { class: "stand-top" }, avatar("agent", agent.agent, { size: "medium" }), h("h2", { id: "stand-title", class: "grow truncate" }, agent.agent), standBadge(agent)),
    headline(agent, checked),
    h(
      "dl",
      { class: "stand-facts" },
      floor && fact("Floor", [floor.value === null ? "none" : score(floor.value), floor.at && h("span", { class: "quiet" }, ` version ${floor.version}, `, h("time", { datetime: iso(floor.at), title: full(floor.at) }, since(floor.at, now)))]),
      floor && floor.cause !== "fixed" && fact("Accepted", `${small(floor.max_error)} wrong, with ${certainty(floor.delta)} certainty`),
      floor && checked > 0 && fact("Checked", [counted(checked, "answer"), floor.accepted > 0 && h("span", { class: "quiet" }, `, ${floor.accepted} above the floor, ${floor.errors} of them wrong`)]),
      fact("Checks", [agent.audit_rate > 0 ? `${percent(agent.audit_rate)} of messages` : "none", agent.audits_open > 0 && [", ", h("a", { href: CHECKS }, `${agent.audits_open} ${agent.audits_open === 1 ? "waits" : "wait"} for people`)]]),
      agent.score && fact("Judged by", agent.score === "classifier" ? "what the classifier says of the message" : "how sure the agent is of its answer"),
      agent.classifier && fact("Classifier", [`${agent.classifier.examples.toLocaleString("en")} examples, ${counted(agent.classifier.intents, "intent")}`, h("span", { class: "quiet" }, `, version ${agent.classifier.version}, learned `, h("time", { datetime: iso(agent.classifier.fitted_at), title: full(agent.classifier.fitted_at) }, since(agent.classifier.fitted_at, now)))]),
      fact("Policy", agent.policy ? h("a", { href: `/settings#route/${encodeURIComponent(agent.policy)}` }, agent.policy) : h("a", { href: "/settings#route+" }, "Make one")),
    ),
  );
}

/** @param {string} name @param {any} value */
function fact(name, value) {
  return [h("dt", { key: `t:${name}` }, name), h("dd", { key: `d:${name}` }, value)];
}

/** What that means, large, and what it takes to get further. @param {any} agent @param {number} checked */
function headline({ floor, needed, alarm }, checked) {
  if (!floor) {
    return h("p", { class: "stand-words", key: "words" }, "It goes by what it says of itself. A policy with a floor holds it to what people find right.");
  }
  if (floor.cause === "fixed") {
    return h("p", { class: "stand-words", key: "words" }, h("b", null, `Answers alone from ${floor.value === null ? "nowhere" : score(floor.value)} on.`), " Somebody has set this by hand: nothing is promised of it.");
  }
  if (alarm || floor.cause === "alarm") {
    return h("p", { class: "stand-words", key: "words" }, h("b", null, floor.value === null ? "Answers nothing alone." : `Answers alone from ${score(floor.value)} on.`), " It was wrong too often of late. Clean checks give it its share back.");
  }
  if (floor.value === null || floor.cause === "cold") {
    const all = checked + needed;
    return h(
      "div",
      { class: "stand-words", key: "words" },
      h("p", null, h("b", null, needed ? `${untilAlone(needed)}.` : "The AI may not answer alone yet.")),
      needed > 0 &&
        h(
          "span",
          { class: "meter meter--agent stand-meter", role: "img", "aria-label": `${checked} of ${all}`, vars: { "--value": `${(100 * checked) / all}%` } },
          h("span"),
        ),
      h("p", { class: "quiet" }, needed ? `${checked} of ${all} so far, if none of what follows is wrong. People answer until then.${CAUSES[floor.cause] ?? ""}` : `People answer until enough of its answers are right.${CAUSES[floor.cause] ?? ""}`),
    );
  }
  return h(
    "p",
    { class: "stand-words", key: "words" },
    h("b", null, `Answers alone from ${score(floor.value)} on.`),
    floor.accepted > 0 && ` Seen wrong there: ${floor.errors} of ${floor.accepted}.`,
    CAUSES[floor.cause],
  );
}

/** All of them, to choose from. @param {Judgement} page @param {any[]} agents @param {any} chosen @param {number} now */
export function agentsCard({ choose }, agents, chosen, now) {
  if (agents.length < 2) return null;
  return h(
    "section",
    { class: "card card--12", key: "agents", "aria-labelledby": "agents-title" },
    h("h2", { id: "agents-title" }, "Agents"),
    h(
      "div",
      { class: "table-frame" },
      h(
        "table",
        { class: "table" },
        h("thead", null, h("tr", null, ["Agent", "Stands", "Floor", "Checked", "Checks open", "Since"].map((words, i) => h("th", { scope: "col", class: [i > 1 && "number", i > 3 && "not-small"].filter(Boolean).join(" ") || undefined }, words)))),
        h(
          "tbody",
          null,
          agents.map((one) =>
            h(
              "tr",
              { key: one.agent },
              h("th", { scope: "row" }, h("button", { type: "button", class: "link", "aria-pressed": one === chosen ? "true" : "false", onclick: () => choose({ agent: one.agent }) }, one.agent)),
              h("td", null, standBadge(one)),
              h("td", { class: "number" }, one.floor && one.floor.value !== null ? score(one.floor.value) : h("span", { class: "quiet" }, "none")),
              h("td", { class: "number" }, one.floor?.labels ?? 0),
              h("td", { class: "number not-small" }, one.audits_open),
              h("td", { class: "number not-small" }, one.floor?.at ? since(one.floor.at, now) : ""),
            ),
          ),
        ),
      ),
    ),
  );
}
