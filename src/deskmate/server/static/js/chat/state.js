// Screens, chat: everything the chat knows, and the questions its view asks of it.

import { firstName, ms } from "../core/format.js";

/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {{key: string, text: string, at: number, state: "waiting" | "sending" | "failed", error: string, person?: boolean,
 *   files?: {id: string, name: string}[]}} Sending */
/** @typedef {{position: number | null, expected_wait_seconds: number | null, opens_at: any}} Line how the line stands */

/** @param {Sending[]} outbox */
export function initialState(outbox) {
  return {
    /** @type {"new" | "loading" | "ready" | "broken"} */
    phase: "new",
    problem: "",
    /** @type {Thread | null} */
    thread: null,
    /** @type {Map<string, Message>} */
    messages: new Map(),
    /** @type {string | null} */
    cursor: null,
    loadingOlder: false,
    /** @type {Map<string, {text: string, length: number}>} */
    streams: new Map(),
    /** What the visitor said of answers, by message. @type {Map<string, string | number>} */
    ratings: new Map(),
    outbox,
    text: "",
    /** @type {import("../core/uploads.js").Attachment[]} */
    files: [],
    /** Why a file was not taken, or a transcript did not come. */
    notice: "",
    /** @type {Line | null} */
    line: null,
    /** The people of the team who type words for the visitor. @type {import("../core/types.js").Viewer[]} */
    typing: [],
    /** @type {{state: "connecting" | "connected" | "offline", since: number}} */
    connection: { state: "connecting", since: 0 },
    /** A conversation is only left behind when the visitor says so twice. */
    asking: false,
    now: Date.now(),
  };
}

/** @typedef {ReturnType<typeof initialState>} State */

/** @param {State} state @returns {Message[]} by position */
export function inOrder(state) {
  return [...state.messages.values()].sort((a, b) => a.order - b.order || a.step - b.step);
}

/** @param {State} state */
export function agentName(state) {
  const last = inOrder(state).findLast((message) => message.author.kind === "agent");
  if (last?.author.name) return last.author.name;
  return (state.thread?.assignment.to === "ai" && state.thread.assignment.name) || "Support AI";
}

/** The person who answers, if one does. @param {State} state @returns {string | null} */
export function personName(state) {
  return state.thread?.assignment.to === "operator" ? firstName(state.thread.assignment.name) || "A person" : null;
}

/** Whether a person has to act before the visitor hears more. @param {State} state */
export function waitsForPerson(state) {
  if (!state.thread || state.thread.status === "resolved") return false;
  if (state.thread.assignment.to === "queue") return true;
  const last = inOrder(state).at(-1);
  const answered = last && (last.author.kind === "operator" || last.author.kind === "agent");
  if (!last || answered) return false;
  return state.thread.assignment.to !== "ai" || last.author.kind === "system";
}

/** Whether the AI is about to write. @param {State} state */
export function aiThinks(state) {
  if (state.thread?.assignment.to !== "ai" || state.thread.status === "resolved") return false;
  const last = inOrder(state).at(-1);
  return last?.author.kind === "customer" && state.now - ms(last.created_at) < 90_000;
}

/** @param {State} state @param {Message} message @param {string} [type] */
export function takeMessage(state, message, type) {
  if (type === "message.deleted" || message.visibility !== "public") {
    state.messages.delete(message.id);
    return;
  }
  const settled = state.messages.get(message.id)?.status;
  if (message.status === "pending" && settled && settled !== "pending") return;
  if (message.status !== "pending") state.streams.delete(message.id);
  // Words that were cut off before the first one leave nothing to show.
  if (message.status === "failed" && !message.text) state.messages.delete(message.id);
  else state.messages.set(message.id, message);
  if (message.author.kind === "customer") {
    const at = state.outbox.findIndex((one) => one.state === "sending" && one.text === message.text);
    if (at >= 0) state.outbox.splice(at, 1);
  }
}

/** @param {State} state @param {import("../core/feed.js").Delta} delta */
export function takeDelta(state, delta) {
  const known = state.streams.get(delta.message) ?? { text: "", length: 0 };
  if (delta.offset > known.length) return;
  const start = delta.offset === known.length ? known.text : [...known.text].slice(0, delta.offset).join("");
  state.streams.set(delta.message, { text: start + delta.text, length: delta.offset + [...delta.text].length });
}
