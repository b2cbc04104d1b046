// Screens, settings: what routing as it is typed would have done to last week's messages. Nothing is changed by trying it.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { pick } from "../core/parts.js";
import { read } from "./draft.js";
import { placeOf, stable } from "./state.js";

/** @typedef {import("./state.js").Settings} Settings */
/** @typedef {import("./state.js").Editing} Editing */
/** @typedef {{place: string, of: string, busy: boolean, error: string, agent: string, agents: string[], found: any}} Tried
 *   `place`: the record that was tried; `of`: as it was typed then; `agents`: those that go by it; `agent`: the one whose messages they were */
/** @typedef {{words: string, run: (settings: Settings, item: any, editing: Editing, agent?: string) => Promise<void>,
 *   view: (settings: Settings, item: any, editing: Editing) => any}} Trial */

const WEEK = 7 * 86_400_000;
const MOST = 50;
const PARTS = /** @type {const} */ ([
  ["ai", "agent", "AI alone"],
  ["draft", "draft", "AI drafts, a person sends"],
  ["human", "operator", "people"],
]);
/** @type {Record<string, string>} */
const NAMES = { ai: "AI alone", draft: "AI drafts", human: "people" };

/** @type {Trial} */
export const rehearsal = { words: "Try it on last week", run, view };

/** @param {Settings} settings @param {any} item @param {Editing} editing @param {string} [asked] the agent whose messages are looked at */
async function run(settings, item, editing, asked) {
  const { state, api, changed, focus } = settings;
  /** @type {Record<string, string>} */
  const problems = {};
  const { rules, name } = read(editing.shape, editing.draft, "", problems);
  // A new policy may be tried before it has a name.
  if (!item) delete problems.name;
  if (Object.keys(problems).length) {
    editing.problems = problems;
    focus("problem");
    return changed();
  }
  const place = placeOf(state.route);
  const trial = { place, of: stable(editing.draft), busy: true, error: "", agent: "", agents: /** @type {string[]} */ ([]), found: null };
  state.trial = trial;
  changed();
  try {
    trial.agents = agentsOf((await api.get("/api/routing")).items, item?.name ?? name ?? "");
    trial.agent = asked ?? trial.agents[0] ?? "";
    if (!trial.agent) throw new Error("No agent goes by this policy: there is nothing to try it on.");
    trial.found = await api.post("/api/routing/rehearsal", { agent: trial.agent, rules, since: new Date(Date.now() - WEEK).toISOString() });
  } catch (error) {
    trial.error = /** @type {any} */ (error).message;
  }
  trial.busy = false;
  focus("trial-title");
  changed();
}

/** The agents that go by a policy, or would: the one that has its name, else those that have none of their own. @param {any[]} items @param {string} name */
function agentsOf(items, name) {
  const names = items.map((one) => one.agent);
  if (names.includes(name)) return [name];
  const free = items.filter((one) => one.policy === name || one.policy === null || one.policy === "default").map((one) => one.agent);
  return free.length ? free : names;
}

/** @param {Settings} settings @param {any} item @param {Editing} editing */
function view(settings, item, editing) {
  const { trial } = settings.state;
  if (trial.place !== placeOf(settings.state.route)) return null;
  return h(
    "section",
    { class: "trial", key: "trial", "aria-labelledby": "trial-title", "aria-busy": trial.busy ? "true" : undefined },
    h(
      "div",
      { class: "trial-top" },
      h("h3", { id: "trial-title", tabindex: "-1", class: "grow" }, trial.busy ? "Looking at last week…" : "On last week's messages"),
      trial.agents.length > 1 && pick("Agent", trial.agent, trial.agents.map((one) => [one, one]), (agent) => void run(settings, item, editing, agent), { id: "trial-agent", disabled: trial.busy }),
    ),
    trial.error && h("p", { class: "field-error", role: "alert" }, icon("info", true), trial.error),
    trial.found && trial.of !== stable(editing.draft) && h("p", { class: "trial-old", key: "old" }, icon("info", true), "Something else is typed since: try it again."),
    trial.found && found(trial.found, trial.agent),
  );
}

/** @param {any} found @param {string} agent */
function found({ routes, now, then, changed }, agent) {
  if (!routes) return h("p", { class: "quiet" }, `${agent} was asked nothing in the last 7 days: there is nothing to try it on.`);
  const difference = then.ai - now.ai;
  const lead = changed.length
    ? `Of ${counted(routes, "message")} ${changed.length === 1 ? "one would" : `${changed.length} would`} have gone another way: ${difference ? `the AI alone answers ${Math.abs(difference)} ${difference > 0 ? "more" : "fewer"}` : "the AI alone answers as many"}.`
    : `None of ${counted(routes, "message")} would have gone another way.`;
  return [
    h("p", { class: "trial-lead", key: "lead" }, lead, " Nothing was changed by this."),
    h("div", { class: "trial-bars", key: "bars" }, bar("As it was", now, routes), bar("By this policy", then, routes)),
    changed.length > 0 && ways(changed),
  ];
}

/** @param {number} part @param {number} whole */
const percent = (part, whole) => `${Math.round((100 * part) / (whole || 1))} %`;

/** One bar of three parts, each with its number beside it. @param {string} name @param {any} counts @param {number} routes */
function bar(name, counts, routes) {
  let from = 0;
  return [
    h("b", { key: `n:${name}` }, name),
    h(
      "svg",
      { class: "trial-bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true", key: `b:${name}` },
      PARTS.map(([key, look]) => {
        const width = (100 * counts[key]) / routes;
        const drawn = width > 0 && h("rect", { class: `trial-${look}`, x: from, y: 0, width: Math.max(0.5, width - 0.4), height: 10 });
        from += width;
        return drawn;
      }),
    ),
    h(
      "span",
      { class: "trial-words", key: `w:${name}` },
      PARTS.map(([key, look, words]) => h("span", { key }, h("span", { class: `trial-mark trial-mark--${look}`, "aria-hidden": "true" }), `${words} ${counts[key]} (${percent(counts[key], routes)})`)),
    ),
  ];
}

/** The messages that would have gone another way. @param {any[]} changed */
function ways(changed) {
  return h(
    "details",
    { class: "trial-ways", open: changed.length <= 5, key: "ways" },
    h("summary", null, counted(changed.length, "message that would", "messages that would"), " have gone another way", icon("down", true)),
    h(
      "ul",
      null,
      changed.slice(0, MOST).map((one) =>
        h(
          "li",
          { key: `${one.thread} ${one.message}` },
          h("a", { href: `/inbox/threads/${encodeURIComponent(one.thread)}?assignment=all` }, `${NAMES[one.was] ?? one.was} → ${NAMES[one.would] ?? one.would}`),
          h("span", null, one.reason),
        ),
      ),
    ),
    changed.length > MOST && h("p", { class: "quiet" }, `and ${changed.length - MOST} more`),
  );
}
