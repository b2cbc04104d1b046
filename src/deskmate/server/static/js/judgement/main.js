// Screens, judgement: who responds, how far the AI may go, and what people could teach it: for those who lead.

import { rail } from "../board/rail.js";
import { createApi } from "../core/api.js";
import { h, render } from "../core/dom.js";
import { clock, full } from "../core/format.js";
import { icon } from "../core/icons.js";
import { broken, empty, pick } from "../core/parts.js";
import { createStore } from "../core/store.js";
import "../core/theme.js";
import { body } from "./body.js";
import { createDeciding } from "./deciding.js";
import { PERIODS, readChosen, sinceOf, urlOf } from "./url.js";

const EVERY = 30_000;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const phone = matchMedia("(max-width: 760px)");
const api = createApi({ onUnauthenticated: () => leave() });
const { state, changed, flush } = createStore(
  {
    chosen: readChosen(location),
    /** @type {any[] | null} */ agents: null,
    /** @type {import("./words.js").Curve | null} */ curve: null,
    /** @type {any} */ shares: null,
    /** @type {any} */ topics: null,
    /** The floor that the handle is at; null: today's. @type {number | null} */ at: null,
    /** What did not load, by part. @type {Record<string, import("../core/api.js").Problem | undefined>} */
    problems: {},
    loadedAt: 0,
    signedOut: false,
    /** Whether who looks may decide about topics. */ leads: false,
    /** What was just decided, for those who listen. */ said: "",
    narrow: phone.matches,
  },
  draw,
);
/** @typedef {typeof state} State */
/** @type {AbortController | null} */
let asking = null;

const page = {
  state,
  load,
  more,
  ...createDeciding({ state, changed, flush, api }),
  /** @param {number} floor */
  move(floor) {
    state.at = floor;
    changed();
  },
  /** @param {Partial<import("./url.js").Chosen>} change */
  choose(change) {
    if (change.agent !== undefined && change.agent !== state.chosen.agent) forgetCurve();
    state.chosen = { ...state.chosen, ...change };
    history.pushState(null, "", urlOf(state.chosen));
    changed();
    void load();
  },
};
/** @typedef {typeof page} Judgement */

/** Another agent has another curve. */
function forgetCurve() {
  Object.assign(state, { curve: null, at: null });
}

/** The agent that is looked at: the one that is chosen, or the first that has a floor. */
export function agentOf({ agents, chosen } = state) {
  return agents?.find((one) => one.agent === chosen.agent) ?? agents?.find((one) => one.floor) ?? agents?.[0] ?? null;
}

/** Load what is chosen, each part by itself; what is shown stays until it is there. */
async function load() {
  asking?.abort();
  const { signal } = (asking = new AbortController());
  const { maxError: max_error, delta } = state.chosen;
  /** @param {string} name @param {Promise<any>} found @param {(found: any) => void} take */
  const part = async (name, found, take) => {
    try {
      take(await found);
      state.problems[name] = undefined;
    } catch (error) {
      if (signal.aborted) return;
      state.problems[name] = /** @type {any} */ (error);
    }
    changed();
  };
  const judged = async () => {
    await part("agents", api.get("/api/routing", undefined, { signal }), ({ items }) => (state.agents = items));
    const agent = agentOf();
    if (!agent || signal.aborted) return;
    if (!agent.floor) return void (state.curve = { agent: agent.agent, floor: null, max_error: 0.05, delta: 0.1, labels: 0, traffic: 0, points: [] });
    await part("curve", api.get("/api/routing/curve", { agent: agent.agent, max_error, delta }, { signal }), (curve) => (state.curve = single(curve, agent)));
  };
  await Promise.all([
    judged(),
    part("shares", api.get("/api/routing/shares", { since: sinceOf(state.chosen, Date.now()) }, { signal }), (shares) => (state.shares = shares)),
    part("topics", api.get("/api/suggestions", { state: "open" }, { signal }), (topics) => (state.topics = state.topics ? kept(topics) : topics)),
    part("me", api.get("/api/me", undefined, { signal }), (me) => (state.leads = ["lead", "admin"].includes(me.role))),
  ]);
  if (signal.aborted) return;
  if (!state.problems.agents) Object.assign(state, { loadedAt: Date.now(), signedOut: false });
  changed();
}

/** One point for each floor, the one with all that reaches it. What was proved stays so: the floor of today is certain, too, for what the
 * policy accepts. @param {any} curve @param {any} agent @returns {import("./words.js").Curve} */
function single(curve, { floor }) {
  const learned = floor.cause !== "fixed" && floor.max_error <= curve.max_error && floor.delta <= curve.delta ? floor.value : null;
  const proved = [curve.proved, learned].filter((one) => typeof one === "number");
  const points = curve.points.filter((/** @type {any} */ one, /** @type {number} */ i) => one.floor !== curve.points[i + 1]?.floor);
  return { ...curve, floor: proved.length ? Math.min(...proved) : null, points };
}

/** What was decided here stays in its place, so that nothing jumps under a hand. @param {any} fresh */
function kept(fresh) {
  const ids = new Set(fresh.items.map((/** @type {any} */ one) => one.id));
  const now = new Map(fresh.items.map((/** @type {any} */ one) => [one.id, one]));
  const stay = state.topics.items.filter((/** @type {any} */ one) => ids.has(one.id) || page.workOf(one).done || page.workOf(one).mode);
  const known = new Set(stay.map((/** @type {any} */ one) => one.id));
  return { ...fresh, items: [...stay.map((/** @type {any} */ one) => now.get(one.id) ?? one), ...fresh.items.filter((/** @type {any} */ one) => !known.has(one.id))] };
}

async function more() {
  const { topics } = state;
  try {
    const next = await api.get("/api/suggestions", { state: "open", cursor: topics.cursor });
    const known = new Set(topics.items.map((/** @type {any} */ one) => one.id));
    state.topics = { ...next, items: [...topics.items, ...next.items.filter((/** @type {any} */ one) => !known.has(one.id))] };
  } catch {
    // The button stays, and asks again.
  }
  changed();
}

function leave() {
  Object.assign(state, { signedOut: true, agents: null, shares: null, topics: null, curve: null });
  changed();
}

function header() {
  const { chosen, loadedAt, problems, agents } = state;
  const when = loadedAt ? `${problems.agents ? "As of" : "Live,"} ${clock(loadedAt)}` : "";
  return h(
    "header",
    { class: "board-header", key: "header" },
    h("a", { class: "button button--plain button--icon only-small", href: "/board", "aria-label": "Board" }, icon("back")),
    h("h1", null, "Judgement"),
    h("span", { class: "quiet board-when", title: full(loadedAt || null) }, when),
    (agents?.length ?? 0) > 1 &&
      pick("Agent", agentOf()?.agent ?? "", (agents ?? []).map((one) => [one.agent, one.agent]), (agent) => page.choose({ agent }), { id: "agent" }),
    pick("Period", chosen.period, /** @type {[string, string][]} */ (Object.entries(PERIODS)), (period) => page.choose({ period: /** @type {"week"} */ (period) }), { id: "period" }),
  );
}

function offline() {
  const { problems, agents, loadedAt } = state;
  if (!problems.agents || !agents) return null;
  return h(
    "div",
    { class: "banner banner--offline", role: "status", key: "offline" },
    icon("offline"),
    h("span", { class: "grow" }, h("strong", null, problems.agents.status ? "Judgement did not load. " : "Offline. "), `These are the numbers of ${clock(loadedAt)}; it goes on by itself.`),
    h("button", { type: "button", class: "button button--small", onclick: () => void load() }, "Try now"),
  );
}

function inside() {
  const { agents, problems, signedOut } = state;
  if (signedOut) return empty("Sign in to see how the AI is judged", "", { key: "signed-out" }, h("a", { class: "button button--primary", href: "/inbox" }, "Sign in"));
  if (problems.agents && !agents) {
    if (problems.agents.status === 403) return empty("This is for the team", problems.agents.message, { key: "refused" });
    return h("div", { key: "broken" }, broken("Judgement", problems.agents, () => void load()));
  }
  return body(page, agentOf());
}

function draw() {
  render(
    root,
    h("a", { class: "skip", href: "#board", key: "skip" }, "Skip to judgement"),
    h("div", { class: "board-shell", key: "shell" }, rail("judgement", changed, { judgement: urlOf(state.chosen) }), h("main", { class: "board", id: "board", tabindex: "-1" }, header(), offline(), inside())),
  );
}

addEventListener("popstate", () => {
  const before = agentOf();
  state.chosen = readChosen(location);
  if (agentOf() !== before) forgetCurve();
  changed();
  void load();
});
addEventListener("online", () => void load());
addEventListener("offline", () => void load());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - state.loadedAt > EVERY) void load();
});
phone.addEventListener("change", () => {
  state.narrow = phone.matches;
  changed();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
setInterval(() => {
  if (!document.hidden && !state.signedOut) void load();
}, EVERY);
changed();
void load();
