// Screens, chat: puts session, feed, outbox and view together.

import { Problem } from "../core/api.js";
import { render } from "../core/dom.js";
import { createFeed } from "../core/feed.js";
import { createStore, remembered } from "../core/store.js";
import "../core/theme.js";
import { createUploads } from "../core/uploads.js";
import { createContents } from "./files.js";
import { createRatings } from "./rating.js";
import { createSession } from "./session.js";
import { createSigns } from "./signs.js";
import { initialState, takeDelta, takeMessage } from "./state.js";
import { view } from "./view.js";
import { createLine } from "./waiting.js";

const PAGE = 50;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const kept = { outbox: remembered("deskmate.chat.outbox") };
/** @type {import("./state.js").Sending[]} */
const unsent = (kept.outbox.get() ?? []).map((/** @type {any} */ one) => ({
  ...one,
  state: one.state === "failed" ? "failed" : "waiting",
}));

const { state, changed } = createStore(initialState(unsent), draw);
const session = createSession({
  onLost: () => {
    feed.stop();
    Object.assign(state, { thread: null, phase: "new", messages: new Map(), cursor: null });
    changed();
  },
});
const line = createLine({ state, changed, get: (path) => session.api.get(path) });
const uploads = createUploads({ changed, credentials: session.api.credentials });
const contents = createContents({ changed, credentials: session.api.credentials });
const signs = createSigns({
  state,
  post: (path, body) => session.api.post(path, body, { quiet: true }),
  atEnd: atTheEnd,
});
const ratings = createRatings({ state, changed, thread: () => session.get().thread, api: session.api });
const feed = createFeed({
  path: "/api/events",
  query: () => ({ thread: session.get().thread }),
  headers: session.api.credentials,
  onEvent: (event) => {
    const thread = session.get().thread;
    if (event.thread !== thread) return;
    if (event.data?.thread) state.thread = event.data.thread;
    if (event.data?.message) takeMessage(state, event.data.message, event.type);
    if (event.type === "thread.assigned") void line.ask();
    changed();
  },
  onDelta: (delta) => {
    if (delta.thread === session.get().thread) takeDelta(state, delta);
    changed();
  },
  onPresence: ({ thread, viewers }) => {
    if (thread === session.get().thread) state.typing = viewers.filter((one) => one.kind === "operator" && one.typing);
    changed();
  },
  onState: (now) => {
    if (now === "connecting" && state.connection.state === "offline") return;
    if (now !== state.connection.state) state.connection = { state: now, since: Date.now() };
    changed();
  },
  onConnected: (fresh) => {
    // Who types is told anew.
    state.typing = [];
    if (!fresh) void line.ask();
    if (fresh) void loadThread();
    void sendAll();
  },
  onUnauthenticated: () => session.lost(),
});

async function loadThread() {
  const id = session.get().thread;
  if (!id) return;
  if (state.phase !== "ready") state.phase = "loading";
  changed();
  try {
    const path = `/api/threads/${encodeURIComponent(id)}`;
    const [thread, page] = await Promise.all([session.api.get(path), session.api.get(`${path}/messages`, { limit: PAGE })]);
    if (session.get().thread !== id) return;
    state.thread = thread;
    if (!state.messages.size) state.cursor = page.cursor;
    for (const message of page.items) takeMessage(state, message);
    state.phase = "ready";
    void line.ask();
    void ratings.load();
  } catch (error) {
    if (error instanceof Problem && error.status === 404) startOver();
    else if (state.phase === "loading")
      Object.assign(state, { phase: "broken", problem: error instanceof Error ? error.message : "" });
  }
  changed();
}

async function loadOlder() {
  const id = session.get().thread;
  if (!id || !state.cursor || state.loadingOlder) return;
  state.loadingOlder = true;
  changed();
  try {
    const page = await session.api.get(`/api/threads/${encodeURIComponent(id)}/messages`, { limit: PAGE, before: state.cursor });
    for (const message of page.items) takeMessage(state, message);
    state.cursor = page.cursor;
  } catch {
    // The button stays.
  }
  state.loadingOlder = false;
  changed();
}

/** @param {string} text @param {{person?: boolean}} [how] `person`: a person is to answer this, and all that follows */
function send(text, { person = false } = {}) {
  const words = text.trim();
  const attached = person ? [] : state.files.filter((one) => one.state === "done");
  if (!words && !attached.length) return;
  const files = attached.map(({ id, name }) => ({ id, name }));
  state.files = state.files.filter((one) => !attached.includes(one));
  state.notice = "";
  signs.stopped();
  state.outbox.push({ key: crypto.randomUUID(), text: words, at: Date.now(), state: "waiting", error: "", person, files });
  if (state.phase === "new") state.phase = "ready";
  changed();
  void sendAll();
}

let delivering = false;
/** @type {Promise<string> | null} a thread that is being opened for files */
let opening = null;

/** One after the other, in order; each with its own key, so that a retry never doubles. */
async function sendAll() {
  if (delivering) return;
  delivering = true;
  try {
    for (let next = waitingOne(); next; next = waitingOne()) {
      next.state = "sending";
      changed();
      if (!(await deliver(next))) return;
    }
  } finally {
    delivering = false;
    changed();
  }
}

const waitingOne = () => state.outbox.find((one) => one.state === "waiting");

/** @param {import("./state.js").Sending} sending @returns {Promise<boolean>} whether to go on with the next one */
async function deliver(sending) {
  try {
    const id = await (opening ?? session.threadFor(sending.key));
    if (!state.thread) await opened();
    const path = `/api/threads/${encodeURIComponent(id)}`;
    const files = (sending.files ?? []).map((one) => one.id);
    const body = {
      text: sending.text,
      ...(sending.person ? { respond: false } : {}),
      ...(files.length ? { files } : {}),
    };
    const message = await session.api.post(`${path}/messages`, body, { key: sending.key });
    if (sending.person) {
      state.thread = await session.api.post(`${path}/escalation`);
      void line.ask();
    }
    state.outbox = state.outbox.filter((one) => one !== sending);
    takeMessage(state, message);
    if (state.connection.state === "offline") feed.retry();
    return true;
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(0, "offline", "No connection.");
    if (problem.status === 401 || problem.status === 404) {
      // The visitor or the thread is unknown by now: the words go to a new one.
      if (problem.status === 404) session.set({ thread: null });
      state.thread = null;
      Object.assign(sending, { state: sending.error === "again" ? "failed" : "waiting", error: "again" });
      return sending.state === "waiting";
    }
    const offline = problem.status === 0;
    Object.assign(sending, { state: offline ? "waiting" : "failed", error: problem.message });
    if (offline) setTimeout(sendAll, 4000);
    return !offline;
  }
}

/** A new thread: the line is opened before the first message goes out, so that no word of the answer is missed. */
async function opened() {
  feed.stop();
  feed.start();
  await loadThread();
}

/** The thread that files go to; a file may come before the first words. @returns {Promise<string>} */
async function place() {
  opening ??= session.threadFor(crypto.randomUUID()).finally(() => (opening = null));
  const id = await opening;
  if (!state.thread) await opened();
  return id;
}

function startOver() {
  feed.stop();
  session.set({ thread: null });
  const { connection, text } = state;
  Object.assign(state, initialState([]), { connection, text });
  changed();
}

const chat = {
  state,
  changed,
  send,
  loadOlder,
  startOver,
  /** @param {import("./state.js").Sending} sending */
  retry(sending) {
    Object.assign(sending, { state: "waiting", error: "" });
    void sendAll();
  },
  /** @param {import("./state.js").Sending} sending */
  discard(sending) {
    state.outbox = state.outbox.filter((one) => one !== sending);
    changed();
  },
  retryConnection() {
    feed.retry();
    void sendAll();
  },
  reload: loadThread,
  uploads,
  contents,
  ratings,
  signs,
  place,
  /** @param {File[]} files */
  attach(files) {
    state.notice = uploads.add(state.files, files, place);
    changed();
  },
  async transcript() {
    const id = session.get().thread;
    if (!id) return;
    const came = await contents.save(`/api/threads/${encodeURIComponent(id)}/transcript?format=text`, `transcript-${id}.txt`);
    state.notice = came ? "" : "The transcript did not come. Try again in a moment.";
    changed();
  },
};

/** @typedef {typeof chat} Chat */

function atTheEnd() {
  const log = document.getElementById("chat-log");
  return !log || log.scrollHeight - log.scrollTop - log.clientHeight < 60;
}

function draw() {
  state.now = Date.now();
  kept.outbox.set(state.outbox.length ? state.outbox : null);
  const log = /** @type {HTMLElement | null} */ (document.getElementById("chat-log"));
  const atEnd = atTheEnd();
  const height = log?.scrollHeight ?? 0;
  const older = document.querySelector(".older") !== null;
  const first = log?.querySelector(".message")?.id;
  render(root, view(chat));
  const now = document.getElementById("chat-log");
  if (!now) return;
  if (atEnd) now.scrollTop = now.scrollHeight;
  else if (older && now.querySelector(".message")?.id !== first) now.scrollTop += now.scrollHeight - height;
  signs.look();
}

/** Whether the newest words are in sight: they stay there when the page gets smaller, as under the keys of a phone. */
let ended = true;
document.addEventListener(
  "scroll",
  (event) => {
    if (/** @type {Element} */ (event.target).id !== "chat-log") return;
    ended = atTheEnd();
    signs.look();
  },
  true,
);
addEventListener("resize", () => {
  const log = document.getElementById("chat-log");
  if (ended && log) log.scrollTop = log.scrollHeight;
});

if (session.get().thread) {
  state.phase = "loading";
  feed.start();
} else if (state.outbox.length) void sendAll();
setInterval(() => !document.hidden && state.thread && changed(), 15_000);
addEventListener("online", () => void sendAll());
document.addEventListener("visibilitychange", () => signs.look());
changed();
