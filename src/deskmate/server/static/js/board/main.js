// Screens, board: how the desk stands and how a period went, for those who lead and everybody on the team.

import { createApi } from "../core/api.js";
import { h, render } from "../core/dom.js";
import { clock, full } from "../core/format.js";
import { icon } from "../core/icons.js";
import { broken, empty, pick } from "../core/parts.js";
import { createStore } from "../core/store.js";
import "../core/theme.js";
import { answered, tiles, waits } from "./cards.js";
import { callouts, failures, reasons } from "./causes.js";
import { operators, queues, requests } from "./people.js";
import { rail } from "./rail.js";
import { PERIODS, periodWords, queryOf, readChosen, urlOf } from "./url.js";

const EVERY = 15_000;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const api = createApi({ onUnauthenticated: () => leave() });
const { state, changed } = createStore(
  {
    chosen: readChosen(location),
    /** @type {any} */ board: null,
    /** What was chosen when it was loaded. */ of: "",
    /** @type {string[]} */ names: [],
    loadedAt: 0,
    signedOut: false,
    /** @type {import("../core/api.js").Problem | null} */ problem: null,
  },
  draw,
);
/** @type {AbortController | null} */
let asking = null;

/** Load what is chosen; what is shown stays until it is there. */
async function load() {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const of = urlOf(state.chosen);
  try {
    const board = await api.get("/api/board", queryOf(state.chosen, Date.now()), { signal: mine.signal });
    if (!state.chosen.queue) state.names = board.now.queues.map((/** @type {any} */ one) => one.name);
    else if (!state.names.length) {
      const known = await api.get("/api/queues", undefined, { signal: mine.signal });
      state.names = known.items.map((/** @type {any} */ one) => one.name);
    }
    Object.assign(state, { board, of, loadedAt: Date.now(), problem: null, signedOut: false });
  } catch (error) {
    if (mine.signal.aborted) return;
    state.problem = /** @type {any} */ (error);
    if (state.of !== of) state.board = null;
  }
  changed();
}

function leave() {
  state.signedOut = true;
  state.board = null;
  changed();
}

/** @param {Partial<import("./url.js").Chosen>} change */
function choose(change) {
  state.chosen = { ...state.chosen, ...change };
  history.pushState(null, "", urlOf(state.chosen));
  changed();
  void load();
}

function header() {
  const { chosen, loadedAt, problem, names } = state;
  const choices = /** @type {[string, string][]} */ (Object.entries(PERIODS));
  if (chosen.period === "exact") choices.push(["exact", "Chosen period"]);
  const queues = /** @type {[string, string][]} */ (names.map((name) => [name, name]));
  if (chosen.queue && !names.includes(chosen.queue)) queues.push([chosen.queue, chosen.queue]);
  const when = loadedAt ? `${problem ? "As of" : "Live,"} ${clock(loadedAt)}` : "";
  return h(
    "header",
    { class: "board-header", key: "header" },
    h("a", { class: "button button--plain button--icon only-small", href: "/inbox", "aria-label": "Inbox" }, icon("back")),
    h("h1", null, "Board"),
    h("a", { class: "button button--plain button--icon only-small", href: "/judgement", "aria-label": "Judgement" }, icon("judgement")),
    h("span", { class: "quiet board-when", title: full(loadedAt || null) }, when),
    pick("Queue", chosen.queue, [["", "All queues"], ...queues], (queue) => choose({ queue }), { id: "queue" }),
    pick("Period", chosen.period, choices, (period) => choose({ period: /** @type {"day"} */ (period) }), { id: "period" }),
  );
}

function offline() {
  const { problem, board, loadedAt } = state;
  if (!problem || !board) return null;
  return h(
    "div",
    { class: "banner banner--offline", role: "status", key: "offline" },
    icon("offline"),
    h("span", { class: "grow" }, h("strong", null, problem.status ? "The board did not load. " : "Offline. "), `These are the numbers of ${clock(loadedAt)}; it goes on by itself.`),
    h("button", { type: "button", class: "button button--small", onclick: () => void load() }, "Try now"),
  );
}

function body() {
  const { board, problem, signedOut, chosen, of } = state;
  if (signedOut) return empty("Sign in to see the board", "", { key: "signed-out" }, h("a", { class: "button button--primary", href: "/inbox" }, "Sign in"));
  if (problem && !board) {
    if (problem.status === 403) return empty("The board is for the team", problem.message, { key: "refused" });
    return h("div", { key: "broken" }, broken("The board", problem, () => void load()));
  }
  if (!board) {
    return h(
      "div",
      { class: "board-grid", role: "status", "aria-label": "Loading the board", key: "loading" },
      h("div", { class: "tiles" }, Array.from({ length: 6 }, () => h("div", { class: "tile" }, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" })))),
      Array.from({ length: 4 }, () => h("div", { class: "card card--6 card--loading" }, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" }))),
    );
  }
  const words = periodWords(chosen);
  const { now, period } = board;
  const at = Math.max(Date.parse(now.at), Date.parse(now.at) + Date.now() - state.loadedAt);
  return h(
    "div",
    { class: "board-grid", key: "board", "aria-busy": of === urlOf(chosen) ? undefined : "true" },
    callouts(period.escalations, at, words),
    tiles(board, at, words),
    reasons(period, at, words),
    h("div", { class: "board-column", key: "waiting" }, queues(now, at), requests(now, at)),
    answered(period, words),
    waits(period, words),
    operators(now, at),
    failures(period, at, words),
  );
}

function draw() {
  render(
    root,
    h("a", { class: "skip", href: "#board", key: "skip" }, "Skip to the board"),
    h(
      "div",
      { class: "board-shell", key: "shell" },
      rail("board", changed, { board: urlOf(state.chosen) }),
      h("main", { class: "board", id: "board", tabindex: "-1" }, header(), offline(), body()),
    ),
  );
}

addEventListener("popstate", () => {
  state.chosen = readChosen(location);
  changed();
  void load();
});
addEventListener("online", () => void load());
addEventListener("offline", () => void load());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - state.loadedAt > EVERY) void load();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
setInterval(() => {
  if (!document.hidden && !state.signedOut) void load();
}, EVERY);
changed();
void load();
