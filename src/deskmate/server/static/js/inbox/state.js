// Screens, inbox: everything the inbox knows, and the questions its views ask of it.

import { firstName, ms, shorten } from "../core/format.js";

/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").RequestShort} RequestShort */
/** @typedef {import("../core/types.js").Me} Me */
/** @typedef {import("../core/api.js").Problem} Problem */
/** @typedef {{thread: string | null, assignment: string, status: string, sort: string, queue: string, kind: string, priority: string,
 *   tag: string, q: string}} View what the URL says */
/** @template T @typedef {{items: T[], loaded: boolean, error: Problem | null}} Part */
/** @typedef {{key: string, text: string, visibility: "public" | "note", at: number, state: "sending" | "failed", error: string,
 *   takeOver: boolean, files: {id: string, name: string}[]}} Sending */
/** @typedef {{loaded: boolean, loading: boolean, error: Problem | null, messages: Map<string, Message>, cursor: string | null,
 *   loadingOlder: boolean, requests: Map<string, Request>, activity: Map<string, Activity>, sendings: Sending[], fresh: number,
 *   usage: import("../core/types.js").Usage[], changes: import("../core/types.js").Change[],
 *   choices: import("../core/types.js").Choice[], routes: import("../core/types.js").Route[], earlier: Thread[],
 *   ratings: import("./rating.js").Rating[], tags: string[] | null}} Conversation `tags`: as the feed has told them last */
/** @typedef {{key: string, at: number, icon: string, who: string, what: string, why: string}} Activity */
/** @typedef {import("../core/uploads.js").Attachment} Attachment */
/** @typedef {{tab: "reply" | "note", reply: string, note: string, error: string, files: {reply: Attachment[], note: Attachment[]}}} Words */
/** @typedef {"" | "decline" | "reject" | "respond" | "edit" | "take_over" | "ran" | "not_ran"} Mode */
/** @typedef {{text: string, mode: Mode, reason: string, review: string, draft: string | null, retry: boolean, form: Record<string, any>,
 *   problems: Record<string, string>, busy: boolean, error: string, lost: boolean, stale: boolean}} Card what an operator has typed on a
 *   card, kept while the card changes under them; `form` and `problems` by the path of the field */

/** The inbox as it is without a choice of one's own. */
export const NO_FILTERS = { assignment: "all", status: "open", sort: "activity", queue: "", kind: "", priority: "", tag: "", q: "" };

export function initialState() {
  return {
    /** @type {"loading" | "entry" | "setup" | "ready" | "unreachable"} */
    phase: "loading",
    /** @type {Me | null} */
    me: null,
    view: /** @type {View} */ ({ thread: null, ...NO_FILTERS }),
    searching: false,
    list: {
      /** @type {string[]} */
      ids: [],
      /** @type {string | null} */
      cursor: null,
      loaded: false,
      loading: false,
      /** @type {Problem | null} */
      error: null,
    },
    /** @type {{mine: number, unassigned: number, all: number} | null} */
    counts: null,
    /** @type {Map<string, Thread>} */
    threads: new Map(),
    /** @type {Map<string, Conversation>} */
    conversations: new Map(),
    /** Requests waiting for people, over all threads: for the title. @type {Map<string, string>} */
    waiting: new Map(),
    /** Text of messages being streamed. @type {Map<string, {text: string, length: number}>} */
    streams: new Map(),
    /** @type {Map<string, Words>} */
    words: new Map(),
    /** @type {Map<string, Card>} */
    cards: new Map(),
    /** @type {{state: "connecting" | "connected" | "offline", since: number}} */
    connection: { state: "connecting", since: 0 },
    /** @type {string | null} the request whose card the keys act on */
    focusCard: null,
    /** When the card before it was decided: a key that is pressed twice decides once. */
    movedOn: 0,
    /** Who is on which thread. @type {Map<string, import("../core/types.js").Viewer[]>} */
    presence: new Map(),
    /** What the composer offers while one writes. @type {import("./hints.js").Hints | null} */
    hints: null,
    /** @type {null | "palette" | "keys" | "hand_back" | "assign" | "snooze" | "macros"} */
    dialog: null,
    contextOpen: false,
    contextHidden: false,
    shortcuts: true,
    busy: new Set(),
    /** A short word on what just went wrong, for verbs that have no card of their own. */
    notice: "",
    now: Date.now(),
    around: initialAround(),
    picked: initialPicked(),
    /** Whether the filters that are not always shown are. */
    filtering: false,
    /** What "Next for me" had to say. */
    next: "",
    /** What has to get the focus as soon as its thread is there. @type {{thread: string, what: string} | null} */
    arriving: null,
    /** When the clock sent this operator away, and when they came back. @type {{since: number, back: number | null} | null} */
    sentAway: null,
  };
}

/** What stands around the threads. Each part loads, and fails, by itself. */
function initialAround() {
  return {
    /** @type {Part<import("../core/types.js").Queue>} */
    queues: emptyPart(),
    /** @type {Part<import("../core/types.js").SavedView>} */
    views: emptyPart(),
    /** @type {Part<import("../core/types.js").Operator>} */
    team: emptyPart(),
    /** @type {Part<import("../core/types.js").Mention> & {unread: number}} */
    mentions: { ...emptyPart(), unread: 0 },
    /** What one was told; `absent` where this server tells nobody. @type {Part<import("../core/types.js").Notice> & {unread: number, absent: boolean}} */
    notices: { ...emptyPart(), unread: 0, absent: false },
    /** @type {Part<import("../core/types.js").Macro>} */
    macros: emptyPart(),
    /** What is being typed to save or change a view. */
    naming: { id: "", name: "", shared: false, again: false, busy: false, error: "" },
  };
}

/** @template T @returns {Part<T>} */
function emptyPart() {
  return { items: [], loaded: false, error: null };
}

/** What was picked to have the same done to it. */
function initialPicked() {
  return {
    /** @type {Set<string>} */
    ids: new Set(),
    /** Where a range begins. @type {string | null} */
    anchor: null,
    /** Whether boxes show on every row, as on a screen without a pointer. */
    showing: false,
    /** @type {"" | "assign" | "snooze" | "priority" | "tags" | "note"} */
    panel: "",
    typed: { search: "", until: "", add: "", remove: "", note: "" },
    busy: false,
    /** What became of it, in words. */
    said: "",
    error: "",
    /** Why nothing was done, by thread. @type {Map<string, string>} */
    refused: new Map(),
  };
}

/** @typedef {ReturnType<typeof initialState>} State */

/** @returns {Conversation} */
export function emptyConversation() {
  return {
    loaded: false,
    loading: false,
    error: null,
    messages: new Map(),
    cursor: null,
    loadingOlder: false,
    requests: new Map(),
    activity: new Map(),
    sendings: [],
    fresh: 0,
    usage: [],
    changes: [],
    choices: [],
    routes: [],
    earlier: [],
    ratings: [],
    tags: null,
  };
}

/** @param {State} state @param {string} id */
export function conversationOf(state, id) {
  let found = state.conversations.get(id);
  if (!found) state.conversations.set(id, (found = emptyConversation()));
  return found;
}

/** @param {State} state @param {string} id @returns {Words} */
export function wordsOf(state, id) {
  let found = state.words.get(id);
  if (!found) state.words.set(id, (found = { tab: "reply", reply: "", note: "", error: "", files: { reply: [], note: [] } }));
  return found;
}

/** @param {State} state @param {string} id @returns {Card} */
export function cardOf(state, id) {
  let found = state.cards.get(id);
  if (!found) state.cards.set(id, (found = emptyCard()));
  return found;
}

/** @returns {Card} */
function emptyCard() {
  return {
    text: "",
    mode: "",
    reason: "",
    review: "",
    draft: null,
    retry: false,
    form: {},
    problems: {},
    busy: false,
    error: "",
    lost: false,
    stale: false,
  };
}

/** Everything that was typed on a card, in one line. @param {Card} card */
export function cardWords(card) {
  const fields = Object.entries(card.form)
    .filter(([, typed]) => typeof typed === "string" && typed.trim())
    .map(([path, typed]) => `${path.split(".").slice(1).join(" ") || "answer"}: ${typed}`);
  return [card.text, card.draft, ...fields, card.reason, card.review]
    .map((text) => (text ?? "").trim())
    .filter(Boolean)
    .join("; ");
}

/** @param {State} state @returns {Thread | null} */
export function openThread(state) {
  return (state.view.thread && state.threads.get(state.view.thread)) || null;
}

/** The server counts to one more than is shown. @param {number} count @param {number} most */
export function shownCount(count, most) {
  return count > most ? `${most}+` : String(count);
}

/** @param {Thread} thread @param {Me | null} me */
export function heldByMe(thread, me) {
  return thread.assignment.to === "operator" && thread.assignment.id === me?.id;
}

/** Whether this operator may do anything here but read. @param {State} state */
export function works({ me }) {
  return me?.role !== "observer";
}

/** @param {{state: string}} request */
export function isWaiting(request) {
  return request.state === "open" || request.state === "claimed";
}

/** Whether a person has to do something: decide, or settle what nobody knows. @param {{state: string}} request */
export function needsPerson(request) {
  return isWaiting(request) || request.state === "in_doubt";
}

/** A draft is an approval by kind, and another thing to people. @param {{kind: string, draft?: string | null}} request */
export function faceOf(request) {
  const name = request.draft ? "draft" : request.kind;
  return { name, word: name[0].toUpperCase() + name.slice(1) };
}

/** What people have to do something about, as the cards stand in the timeline. @param {State} state @param {string} id @returns {Request[]} */
export function pendingRequests(state, id) {
  const all = [...(state.conversations.get(id)?.requests.values() ?? [])];
  return all.filter(needsPerson).sort((a, b) => ms(a.created_at) - ms(b.created_at));
}

/** @param {Conversation} conversation @returns {Message[]} by position */
export function inOrder(conversation) {
  return [...conversation.messages.values()].sort((a, b) => a.order - b.order || a.step - b.step);
}

/** The agent of a thread by name, as far as its messages tell. @param {State} state @param {Thread} thread */
export function agentName(state, thread) {
  if (thread.assignment.to === "ai" && thread.assignment.name) return thread.assignment.name;
  const messages = inOrder(state.conversations.get(thread.id) ?? emptyConversation());
  const last = messages.findLast((message) => message.author.kind === "agent" && message.author.name);
  if (last) return last.author.name;
  const asked = [...(state.conversations.get(thread.id)?.requests.values() ?? [])].find((request) => request.agent);
  if (asked?.agent) return asked.agent;
  if (thread.preview?.author.kind === "agent" && thread.preview.author.name) return thread.preview.author.name;
  return "the AI";
}

/** @param {State} state @param {Thread} thread @returns {string} who holds it, as a name; "you" for oneself */
export function holderName(state, thread) {
  const { to, id, name } = thread.assignment;
  if (to === "ai") return agentName(state, thread);
  if (to === "queue") return `the queue ${name || id}`;
  return heldByMe(thread, state.me) ? "you" : name || "an operator";
}

/** @param {Thread} thread */
export function customerName(thread) {
  return thread.customer_name || (thread.customer ? `Visitor ${thread.customer.slice(-4)}` : "No customer");
}

/** What to call the customer inside a sentence. @param {Thread} thread */
export function shortName(thread) {
  return firstName(thread.customer_name) || "the visitor";
}

/** What a thread is about: its subject, else its first words. @param {State} state @param {Thread} thread */
export function subjectOf(state, thread) {
  if (thread.subject) return thread.subject;
  const conversation = state.conversations.get(thread.id);
  const first =
    conversation?.loaded && !conversation.cursor && inOrder(conversation).find((message) => message.author.kind === "customer");
  return first ? shorten(first.text, 120) : `Conversation with ${customerName(thread)}`;
}

/** How much of a thread is new to this operator; what is open and in sight is read. @param {State} state @param {Thread} thread */
export function unreadOf(state, thread) {
  if (thread.id === state.view.thread && !document.hidden) return 0;
  return thread.unread ?? 0;
}

/** Who else is on a thread, those who type first. @param {State} state @param {string} id */
export function othersOn(state, id) {
  const others = (state.presence.get(id) ?? []).filter((one) => one.kind !== "operator" || one.id !== state.me?.id);
  return others.sort((a, b) => Number(b.typing) - Number(a.typing));
}
