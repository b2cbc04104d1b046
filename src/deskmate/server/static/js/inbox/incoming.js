// Screens, inbox: what the live feed brings, put into the state.

import { ms } from "../core/format.js";
import { activityOfEvent, changesOfEvent } from "./activity.js";
import { takePresence } from "./alive.js";
import { cardWords, conversationOf, heldByMe, isWaiting, needsPerson } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("../core/types.js").Request} Request */

/**
 * @param {State} state
 * @param {import("../core/feed.js").FeedEvent} event
 * @returns {boolean} whether the list may have changed: who waits, where, and how many
 */
export function takeEvent(state, event) {
  const [noun] = event.type.split(".");
  if (event.type === "thread.deleted" && event.thread) {
    state.threads.delete(event.thread);
    state.conversations.delete(event.thread);
    return true;
  }
  const told = event.type === "thread.changed" && event.thread ? changesOfEvent(state, event) : [];
  if (noun === "thread" && event.data?.thread) takeThread(state, event.data.thread);
  if (noun === "message" && event.data?.message) takeMessage(state, event.data.message, event.type);
  if (noun === "request" && event.data?.request) takeRequest(state, event.data.request);
  takePresence(state, event);
  if (event.type === "thread.assigned" && event.thread) {
    const changes = state.conversations.get(event.thread)?.changes;
    if (changes && !changes.some((one) => one.epoch === event.data.epoch))
      changes.push({ ...event.data, by: event.actor, at: event.at });
  }
  for (const one of told) conversationOf(state, event.thread ?? "").activity.set(one.key, one);
  const activity = event.thread && state.conversations.has(event.thread) && activityOfEvent(state, event);
  if (activity && event.thread) conversationOf(state, event.thread).activity.set(activity.key, activity);
  return noun === "thread" || noun === "request" || noun === "clock" || event.type === "message.posted";
}

/** @param {State} state @param {import("../core/types.js").Thread} thread */
export function takeThread(state, thread) {
  const known = state.threads.get(thread.id);
  // An answer that was on its way while the thread changed hands is older than what is known.
  if (known && (thread.epoch ?? 0) < (known.epoch ?? 0)) return;
  state.threads.set(thread.id, { ...known, ...thread });
  if (!thread.requests) return;
  for (const [request, of] of state.waiting) if (of === thread.id) state.waiting.delete(request);
  for (const request of thread.requests) if (isWaiting(request)) state.waiting.set(request.id, thread.id);
}

/** @param {State} state @param {Message} message @param {string} [type] */
export function takeMessage(state, message, type) {
  const conversation = state.conversations.get(message.thread);
  if (type === "message.deleted") {
    conversation?.messages.delete(message.id);
    return;
  }
  const settled = conversation?.messages.get(message.id)?.status;
  if (message.status === "pending" && settled && settled !== "pending") return;
  if (message.status !== "pending") state.streams.delete(message.id);
  if (conversation) {
    const known = conversation.messages.has(message.id);
    conversation.messages.set(message.id, message);
    conversation.sendings = conversation.sendings.filter((sending) => !isSame(state, sending, message));
    if (!known && type === "message.posted" && message.author.id !== state.me?.id) conversation.fresh += 1;
  }
  const thread = state.threads.get(message.thread);
  const newer = thread && ms(message.created_at) >= (thread.preview ? ms(thread.preview.at) : 0);
  const shown = message.role !== "system" && message.visibility !== "draft" && message.status === "success" && message.text;
  if (thread && newer && shown) {
    const { text, author, visibility, created_at: at } = message;
    const answered = visibility === "public" && author.kind !== "customer" && !thread.requests?.length;
    state.threads.set(thread.id, {
      ...thread,
      preview: { text, author, visibility, at },
      waiting_since: answered ? null : thread.waiting_since,
    });
  }
}

/** The event of one's own message can be faster than the answer to its request. @param {State} state @param {import("./state.js").Sending} sending @param {Message} message */
function isSame(state, sending, message) {
  return (
    message.author.kind === "operator" &&
    message.author.id === state.me?.id &&
    sending.state === "sending" &&
    message.visibility === sending.visibility &&
    message.text === sending.text
  );
}

const FAR = ["open", "claimed", "decided", "applying"];

/**
 * The answer to a decision may come behind the events of what it has led to.
 * @param {Request} request @param {Request} known
 */
function isOlder(request, known) {
  if (!isWaiting(known) && isWaiting(request)) return true;
  const apart = ms(request.updated_at) - ms(known.updated_at);
  if (apart) return apart < 0;
  const [far, before] = [request, known].map((one) => (FAR.includes(one.state) ? FAR.indexOf(one.state) : FAR.length));
  return !isWaiting(request) && far < before;
}

/** @param {State} state @param {Request} request */
export function takeRequest(state, request) {
  const conversation = state.conversations.get(request.thread);
  const known = conversation?.requests.get(request.id);
  if (known && isOlder(request, known)) return;
  conversation?.requests.set(request.id, { ...conversation.requests.get(request.id), ...request });
  if (isWaiting(request)) state.waiting.set(request.id, request.thread);
  else state.waiting.delete(request.id);
  const card = state.cards.get(request.id);
  const by = request.decision?.by.id;
  if (card && !card.busy && !needsPerson(request) && cardWords(card) && by !== state.me?.id) card.lost = true;
  const thread = state.threads.get(request.thread);
  if (!thread) return;
  const { id, kind, state: at, question, draft, claimed_by, expires_at, on_expiry, missed, created_at } = request;
  const others = (thread.requests ?? []).filter((one) => one.id !== id);
  const short = { id, kind, state: at, question, draft, claimed_by, expires_at, on_expiry, missed, created_at };
  state.threads.set(thread.id, { ...thread, requests: isWaiting(request) ? [...others, short] : others });
}

/**
 * Offsets count characters as people do, so an emoji is one.
 * @param {State} state @param {import("../core/feed.js").Delta} delta
 */
export function takeDelta(state, delta) {
  const known = state.streams.get(delta.message) ?? { text: "", length: 0 };
  if (delta.offset > known.length) return;
  const start = delta.offset === known.length ? known.text : [...known.text].slice(0, delta.offset).join("");
  const text = start + delta.text;
  state.streams.set(delta.message, { text, length: delta.offset + [...delta.text].length });
}

/** Threads that wait for this operator: theirs whose customer waits, and what is asked of people where no colleague is on it. @param {State} state */
export function waitingCount(state) {
  /** @type {Set<string>} */
  const waiting = new Set();
  for (const [, id] of state.waiting) {
    const thread = state.threads.get(id);
    if (thread?.status === "resolved") continue;
    if (!thread || thread.assignment.to !== "operator" || heldByMe(thread, state.me)) waiting.add(id);
  }
  for (const thread of state.threads.values()) {
    if (thread.status === "open" && thread.waiting_since && heldByMe(thread, state.me)) waiting.add(thread.id);
  }
  return waiting.size;
}
