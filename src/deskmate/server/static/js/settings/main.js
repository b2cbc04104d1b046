// Screens, settings: puts sections, forms and the URL together, and draws.

import { createApi } from "../core/api.js";
import { h, render } from "../core/dom.js";
import { broken } from "../core/parts.js";
import { createStore } from "../core/store.js";
import "../core/theme.js";
import { createFocus } from "./focus.js";
import { createRecords } from "./records.js";
import { SECTIONS, sectionOf } from "./sections.js";
import { emptyPart, hashOf, initialState, isDirty, readRoute } from "./state.js";
import { shell } from "./shell.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
/** The zones that this browser knows, its own first. */
const ZONES = [...new Set([Intl.DateTimeFormat().resolvedOptions().timeZone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
const phone = matchMedia("(max-width: 760px)");

export function createSettings() {
  const { state, changed, flush } = createStore(initialState(), draw);
  const api = createApi({ onUnauthenticated: () => leave() });
  for (const section of SECTIONS) state.parts[section.id] = emptyPart();
  const focus = createFocus(flush);

  const settings = {
    state,
    changed,
    api,
    focus,
    phone: () => phone.matches,
    /** Whether this server has a section, and this operator may see it. @param {string} id */
    known(id) {
      const section = sectionOf(id);
      return section !== null && sees(section) && !state.parts[id].absent;
    },
    /** @param {import("./sections.js").Section} section */
    may: (section) => section.changes.includes(state.me?.role ?? ""),
    /** @param {string} section @param {string | null} [id] */
    go(section, id = null) {
      const hash = hashOf(section, id);
      if (location.hash === hash) return;
      history.pushState(null, "", hash);
      arrive();
    },
    choices,
    /** @param {string} title @param {string} text @param {string} yes @param {() => void} run */
    confirm(title, text, yes, run) {
      state.confirm = { title, text, yes, run };
      changed();
    },
    /** @param {string} title @param {string} text @param {string} secret */
    showOnce(title, text, secret) {
      state.once = { title, text, secret, copied: false };
      changed();
    },
    /** A verb that has no form: what came of it is said at the top. @param {() => Promise<string>} work */
    async act(work) {
      Object.assign(state, { said: "", refused: "" });
      changed();
      try {
        state.said = await work();
      } catch (error) {
        state.refused = /** @type {any} */ (error).message;
      }
      changed();
    },
    /** @param {import("./sections.js").Section} section */
    load,
  };
  const records = createRecords(settings);
  const desk = Object.assign(settings, { records });

  /** @param {import("./sections.js").Section} section */
  function sees(section) {
    return section.sees.includes(state.me?.role ?? "");
  }

  /** What the desk knows that can be chosen. @param {string} source @returns {{value: string, label: string, hint?: string}[]} */
  function choices(source) {
    const { parts } = state;
    const named = (/** @type {any[]} */ items) => items.map(({ name }) => ({ value: name, label: name }));
    switch (source) {
      case "operators":
        return parts.operators.items.map(({ id, name, role }) => ({ value: id, label: name, hint: role }));
      case "skills":
        return [...new Set([...parts.operators.items, ...parts.queues.items].flatMap((one) => one.skills))].sort().map((one) => ({ value: one, label: one }));
      case "canned":
        return parts.canned.items.map(({ id, shortcut, title }) => ({ value: id, label: `/${shortcut}: ${title}` }));
      case "zones":
        return ZONES.map((zone) => ({ value: zone, label: zone }));
      case "holders":
        return [{ value: "ai", label: "The AI" }, { value: "me", label: "Whoever runs the macro" }, ...choices("takers")];
      case "takers":
        return [
          ...parts.queues.items.map(({ name }) => ({ value: `queue:${name}`, label: `Queue ${name}` })),
          ...parts.operators.items.map(({ id, name }) => ({ value: `operator:${id}`, label: name })),
        ];
      default:
        return named(parts[source]?.items ?? []);
    }
  }

  /** @param {import("./sections.js").Section} section */
  async function load(section) {
    const part = state.parts[section.id];
    part.error = null;
    try {
      const page = await api.get(section.path, section.paged ? { limit: 200 } : {});
      while (page.cursor && section.paged) {
        const next = await api.get(section.path, { limit: 200, cursor: page.cursor });
        page.items.push(...next.items);
        page.cursor = next.cursor;
      }
      Object.assign(part, { items: section.single ? [page] : page.items, schema: page.schema ?? null, loaded: true });
    } catch (error) {
      const problem = /** @type {any} */ (error);
      if (problem.status === 404) Object.assign(part, { absent: true, loaded: true });
      else part.error = problem;
    }
    changed();
  }

  /** The place that the URL names. */
  function arrive() {
    const route = readRoute(location.hash);
    const before = state.route;
    const section = sectionOf(route.section);
    state.route = section && settings.known(section.id) ? route : { section: null, id: null };
    if (section?.single) state.route.id = "mine";
    if (!state.route.section && !phone.matches) state.route = { section: firstSection(), id: null };
    Object.assign(state, { said: "", refused: "" });
    if (before.section !== state.route.section || before.id !== state.route.id) focus(state.route.id === null ? "section-title" : "editor-title");
    records.open();
    changed();
  }

  const firstSection = () => SECTIONS.find((one) => settings.known(one.id) && !one.single)?.id ?? null;

  function leave() {
    Object.assign(state, initialState(), { phase: "entry", parts: state.parts });
    changed();
  }

  async function start() {
    state.phase = "loading";
    changed();
    try {
      const me = await api.get("/api/me", undefined, { quiet: true });
      if (me.kind !== "operator") return void leave();
      state.me = me;
      await Promise.all(SECTIONS.filter(sees).map(load));
      state.phase = "ready";
      arrive();
    } catch (error) {
      state.phase = /** @type {any} */ (error).status === 401 ? "entry" : "unreachable";
    }
    changed();
  }

  function draw() {
    state.now = Date.now();
    const section = sectionOf(state.route.section);
    document.title = `${section ? `${section.title} · ` : ""}Settings · Deskmate`;
    if (state.phase === "loading") render(root, h("p", { class: "settings-wait", role: "status" }, "Loading the settings…"));
    else if (state.phase === "entry") render(root, signedOut());
    else if (state.phase === "unreachable") {
      const problem = /** @type {any} */ ({ message: "The server does not answer." });
      render(root, h("main", { class: "entry", key: "unreachable" }, broken("The settings", problem, start)));
    } else render(root, shell(desk));
    focus.settle();
  }

  addEventListener("popstate", () => state.phase === "ready" && arrive());
  addEventListener("hashchange", () => state.phase === "ready" && arrive());
  addEventListener("beforeunload", (event) => {
    if ([...state.editing.values()].some(isDirty)) event.preventDefault();
  });
  phone.addEventListener("change", changed);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  void start();
  return desk;
}

function signedOut() {
  return h(
    "main",
    { class: "entry", key: "entry" },
    h(
      "div",
      { class: "entry-form" },
      h("h1", null, "Settings"),
      h("p", null, "Sign in to the inbox first."),
      h("a", { class: "button button--primary button--wide", href: "/inbox" }, "Go to sign in"),
    ),
  );
}

createSettings();
