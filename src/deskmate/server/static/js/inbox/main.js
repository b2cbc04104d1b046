// Screens, inbox: puts state, feed, verbs and views together, and draws.

import { createApi } from "../core/api.js";
import { h, render } from "../core/dom.js";
import { createFeed } from "../core/feed.js";
import { broken } from "../core/parts.js";
import { createStore, remembered } from "../core/store.js";
import "../core/theme.js";
import { createUploads } from "../core/uploads.js";
import { createAlive } from "./alive.js";
import { createAround } from "./around.js";
import { createArriving } from "./arriving.js";
import { banner } from "./banner.js";
import { createBulk } from "./bulk.js";
import { context } from "./context.js";
import { conversation } from "./conversation.js";
import { dialogs } from "./dialogs.js";
import { entry } from "./entry.js";
import { createFocus } from "./focus.js";
import { createHints } from "./hints.js";
import { takeDelta, takeEvent, waitingCount } from "./incoming.js";
import { listenToKeys } from "./keyboard.js";
import { list } from "./list.js";
import { createLoading } from "./loading.js";
import { menus } from "./menus.js";
import { createNext } from "./next.js";
import { createNotifying } from "./notifying.js";
import { rail, tabbar } from "./rail.js";
import { judges } from "./rating.js";
import { createScroller } from "./scroller.js";
import { createSigns } from "./signs.js";
import { cardOf, conversationOf, initialState, openThread, pendingRequests, subjectOf, wordsOf, works } from "./state.js";
import { createUnsent } from "./unsent.js";
import { filterKey, readView, urlOf } from "./url.js";
import { createVerbs } from "./verbs.js";

/** @typedef {import("./state.js").View} View */
/** @typedef {typeof desk} Desk what every view is given */

const memory = {
  shortcuts: remembered("deskmate.shortcuts"),
  context: remembered("deskmate.context"),
};
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const narrow = matchMedia("(max-width: 1100px)");
const phone = matchMedia("(max-width: 760px)");

const { state, changed, flush } = createStore(initialState(), draw);
const api = createApi({ onUnauthenticated: () => leave() });
const load = createLoading({ state, changed, api });
const focus = createFocus(() => state, flush);
const unsent = createUnsent({ state, changed, api });
const hints = createHints({ state, changed, api });
const uploads = createUploads({ changed, credentials: api.credentials });
const signs = createSigns({ state, changed, api, away: () => scroller.away });
const verbs = createVerbs({ state, changed, api, load, go, focus, unsent, signs });
const around = createAround({ state, changed, api });
const arriving = createArriving({ state, load, go, again: openNow, desk: () => desk });
const bulk = createBulk({ state, changed, api, load, focus });
const notifying = createNotifying({ state, changed, open: (thread) => desk.open(thread) });
const scroller = createScroller({ onAway: changed, onTop: () => state.view.thread && load.older(state.view.thread) });
/** After these, somebody else may be the one to respond. */
const DECIDED = ["thread.routed", "thread.assigned", "request.opened", "run.done", "run.failed"];
const feed = createFeed({
  path: "/api/events",
  onEvent: (event) => {
    if (takeEvent(state, event)) load.refreshSoon();
    around.follow(event);
    notifying.hear(event);
    if (!scroller.away && state.view.thread && event.thread === state.view.thread)
      conversationOf(state, state.view.thread).fresh = 0;
    if (event.type === "thread.assigned" && event.thread && event.thread === state.view.thread) void load.choices(event.thread);
    if (DECIDED.includes(event.type) && event.thread && event.thread === state.view.thread && state.threads.get(event.thread)?.route) void load.routes(event.thread);
    if (event.type === "usage.recorded" && event.thread && event.thread === state.view.thread) void load.usage(event.thread);
    if (judges(event) && event.thread && event.thread === state.view.thread) void load.ratings(event.thread);
    if (event.type.startsWith("clock.") && event.thread && event.thread === state.view.thread) void load.record(event.thread);
    changed();
  },
  onDelta: (delta) => {
    takeDelta(state, delta);
    changed();
  },
  onPresence: ({ thread, viewers }) => {
    if (viewers.length) state.presence.set(thread, viewers);
    else state.presence.delete(thread);
    changed();
  },
  onState: (now) => {
    // A line that is being tried again is still not there.
    if (now === "connecting" && state.connection.state === "offline") return;
    if (now !== state.connection.state) state.connection = { state: now, since: Date.now() };
    changed();
  },
  onConnected: (fresh) => {
    // Who is there is told anew.
    state.presence.clear();
    if (!fresh) return;
    around.all();
    void load.list({ quiet: state.list.loaded });
    void load.waiting();
    if (state.view.thread) void load.thread(state.view.thread, { quiet: true });
  },
  onUnauthenticated: () => leave(),
});
/** @type {ReturnType<typeof setTimeout> | undefined} */
let searching;
let copied = { text: "", at: 0 };

const desk = {
  state,
  changed,
  flush,
  api,
  load,
  verbs,
  focus,
  scroller,
  around,
  notifying,
  bulk,
  next: createNext({ state, changed, api, load, focus, open: arriving.open }),
  open: arriving.open,
  unsent,
  hints,
  uploads,
  signs,
  go,
  /** @param {string} text */
  copy(text) {
    void navigator.clipboard?.writeText(text).then(
      () => {
        copied = { text, at: Date.now() };
        changed();
        setTimeout(changed, 1600);
      },
      () => undefined,
    );
  },
  copied: () => (Date.now() - copied.at < 1500 ? copied.text : ""),
  /** From the palette, where there is no place for a refusal. @param {string} macro */
  async runMacro(macro) {
    state.notice = await verbs.runMacro(macro);
    changed();
  },
  /** A link that changes the view without loading a page. @param {Partial<View>} view */
  follow: (view) => (/** @type {MouseEvent} */ event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(view);
  },
  search() {
    state.searching = true;
    if (phone.matches && state.view.thread) go({ thread: null });
    changed();
    focus("search");
  },
  /** @param {string} text */
  searchFor(text) {
    state.view.q = text;
    changed();
    clearTimeout(searching);
    searching = setTimeout(() => {
      history.replaceState(null, "", urlOf(state.view));
      void load.list({ quiet: true });
    }, 250);
  },
  toggleFilters() {
    state.filtering = !state.filtering;
    changed();
    focus(state.filtering ? "filter-queue" : "filters");
  },
  endSearch() {
    state.searching = false;
    if (state.view.q) go({ q: "" });
    changed();
    focus("list");
  },
  /** @param {import("./state.js").State["dialog"]} name */
  dialog(name) {
    const open = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog[open]"));
    if (open && !name) open.close();
    if (state.dialog === name) return;
    state.dialog = name;
    changed();
    flush();
  },
  phone: () => phone.matches,
  contextShown: () => (narrow.matches ? state.contextOpen : !state.contextHidden),
  toggleContext() {
    if (narrow.matches) {
      state.contextOpen = !state.contextOpen;
      focus(state.contextOpen ? "context" : "context-toggle");
    } else {
      state.contextHidden = !state.contextHidden;
      memory.context.set(state.contextHidden || null);
    }
    changed();
  },
  /** @param {"reply" | "note"} tab */
  write(tab) {
    if (!state.view.thread) return;
    wordsOf(state, state.view.thread).tab = tab;
    changed();
    focus("composer");
  },
  /** Bring a request into view and make it the one that the keys act on. @param {string} id */
  focusOn(id) {
    state.contextOpen = false;
    state.focusCard = id;
    scroller.release();
    changed();
    focus(`ask:${id}`);
  },
  /** @param {string} id */
  focusCard(id) {
    if (state.focusCard === id) return;
    state.focusCard = id;
    changed();
  },
  /** @param {string} id of an element */
  show(id) {
    scroller.release();
    document.getElementById(id)?.scrollIntoView({ block: "center" });
  },
  /** @param {import("../core/types.js").Request} request @param {import("./state.js").Card["mode"]} mode */
  mode(request, mode) {
    Object.assign(cardOf(state, request.id), { mode, error: "" });
    state.focusCard = request.id;
    scroller.release();
    changed();
    focus(`${mode ? "card" : "ask"}:${request.id}`);
  },
  /** @param {any} record @param {string} field @param {any} value */
  type(record, field, value) {
    record[field] = value;
    changed();
  },
  /** @param {boolean} on */
  setShortcuts(on) {
    state.shortcuts = on;
    memory.shortcuts.set(on ? null : false);
    changed();
  },
  retryConnection: () => feed.retry(),
  async signOut() {
    await api.delete("/api/session", { quiet: true }).catch(() => undefined);
    leave();
  },
  enter,
};

/** Change what is shown, and the URL with it. @param {Partial<View>} change */
function go(change) {
  const before = state.view;
  const view = { ...before, ...change };
  if (urlOf(view) !== location.pathname + location.search) history.pushState(null, "", urlOf(view));
  show(view, before);
  if (view.thread && view.thread !== before.thread) focus(phone.matches ? "subject" : `row:${view.thread}`);
  if (!view.thread && before.thread) focus(`row:${before.thread}`);
}

/** @param {View} view @param {View | null} before */
function show(view, before) {
  state.view = view;
  if (!before || filterKey(before) !== filterKey(view)) {
    if (before) bulk.clear({ keepFocus: true });
    void load.list();
  }
  if (view.thread !== before?.thread) {
    state.contextOpen = false;
    state.notice = "";
    state.focusCard = null;
    state.hints = null;
    if (view.thread) openNow(view.thread);
  }
  changed();
}

/** @param {string} id */
async function openNow(id) {
  const loaded = conversationOf(state, id).loaded;
  conversationOf(state, id).fresh = 0;
  if (works(state)) void unsent.load(id);
  await load.thread(id, { quiet: loaded });
  if (state.view.thread !== id) return;
  state.focusCard = pendingRequests(state, id)[0]?.id ?? null;
  await arriving.arrive(id);
  changed();
}

/** @param {import("../core/types.js").Me} me */
async function enter(me) {
  state.me = me;
  state.phase = "ready";
  if (location.pathname === "/inbox/setup") history.replaceState(null, "", "/inbox");
  show(readView(location), null);
  feed.start();
  changed();
}

/** Back to the sign-in, with nothing of the desk left on the page. */
function leave() {
  if (state.phase === "entry") return;
  feed.stop();
  unsent.flush();
  signs.leave(true);
  const { shortcuts, contextHidden } = state;
  Object.assign(state, initialState(), { phase: "entry", shortcuts, contextHidden });
  changed();
}

async function start() {
  state.shortcuts = memory.shortcuts.get() !== false;
  state.contextHidden = memory.context.get() === true;
  if (location.pathname === "/inbox/setup") {
    state.phase = "setup";
    changed();
    return;
  }
  state.phase = "loading";
  changed();
  try {
    const me = await api.get("/api/me", undefined, { quiet: true });
    if (me.kind === "operator") await enter(me);
    else state.phase = "entry";
  } catch (error) {
    state.phase = /** @type {any} */ (error).status === 401 ? "entry" : "unreachable";
  }
  changed();
}

function draw() {
  state.now = Date.now();
  scroller.before();
  if (state.phase !== "ready") {
    document.title = state.phase === "setup" ? "Set up Deskmate" : "Sign in to Deskmate";
    render(
      root,
      state.phase === "loading"
        ? null
        : state.phase === "unreachable"
          ? h(
              "main",
              { class: "entry", key: "unreachable" },
              broken("The desk", /** @type {any} */ ({ message: "The server does not answer." }), start),
            )
          : entry(desk),
    );
    return;
  }
  const thread = openThread(state);
  const shown = desk.contextShown() && thread !== null;
  const waiting = waitingCount(state);
  document.title = `${waiting ? `(${waiting}) ` : ""}${thread ? subjectOf(state, thread).slice(0, 60) : "Inbox"} · Deskmate`;
  render(
    root,
    h("a", { class: "skip", href: "#conversation", key: "skip" }, "Skip to the conversation"),
    banner(desk),
    h(
      "div",
      {
        class: `inbox${shown ? "" : " inbox--no-context"}`,
        "data-view": state.view.thread ? "conversation" : "list",
        key: "inbox",
      },
      rail(desk),
      list(desk),
      conversation(desk),
      shown && thread && context(desk, thread),
      !state.view.thread && tabbar(desk),
    ),
    menus(desk),
    dialogs(desk),
  );
  scroller.after(state.view.thread);
  focus.settle();
  signs.look();
}

addEventListener("popstate", () => {
  if (state.phase === "ready") show(readView(location), state.view);
});
document.addEventListener("visibilitychange", () => {
  signs.look();
  if (document.hidden) unsent.flush();
});
addEventListener("pagehide", () => {
  unsent.flush();
  signs.leave(true);
});
narrow.addEventListener("change", changed);
phone.addEventListener("change", changed);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
setInterval(() => {
  if (state.phase === "ready" && !document.hidden && (state.waiting.size || Date.now() - state.now > 15_000)) changed();
}, 1000);
createAlive({ state, changed, api });
listenToKeys(desk);
void start();
