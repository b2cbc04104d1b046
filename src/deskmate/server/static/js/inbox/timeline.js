// Screens, inbox: the timeline: messages by position, requests in place, and what happened in between.

import { h, memo } from "../core/dom.js";
import { counted, dayLabel, ms, sameDay } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button, empty } from "../core/parts.js";
import { activityOfRequest } from "./activity.js";
import { messageView, sendingView, toolCall } from "./message.js";
import { activitiesOf, ratingsOf } from "./rating.js";
import { requestCard } from "./request.js";
import { conversationOf, customerName, inOrder, isWaiting, needsPerson, works } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("./state.js").Conversation} Conversation */
/** @typedef {{at: number, view: any}} Entry */

/** @param {Desk} desk @param {Thread} thread @param {Conversation} conversation */
export function timeline(desk, thread, conversation) {
  const entries = entriesOf(desk, thread, conversation);
  return h(
    "div",
    {
      class: "timeline",
      id: "timeline",
      tabindex: "0",
      role: "region",
      "aria-label": "Timeline",
      key: `timeline:${thread.id}`,
      onscroll: desk.scroller.scrolled,
    },
    h(
      "div",
      { class: "timeline-inner", role: "log", "aria-label": "Messages", "aria-relevant": "additions" },
      conversation.cursor &&
        h(
          "div",
          { class: "older", key: "older" },
          button(conversation.loadingOlder ? "Loading earlier messages…" : "Earlier messages", () => desk.load.older(thread.id), {
            look: "small",
            disabled: conversation.loadingOlder,
          }),
        ),
      conversation.loaded &&
        !entries.length &&
        empty("No message yet", "This thread is open, and nobody has written.", { kind: "chat", key: "empty" }),
      withDays(entries, desk.state.now),
      again(desk, thread, conversation),
      conversation.sendings.map((sending) =>
        h(
          "div",
          { class: "entry-slot", key: `sending:${sending.key}` },
          sendingView(
            sending,
            desk.state.me?.name ?? "",
            () => desk.verbs.deliver(thread.id, sending),
            () => desk.verbs.drop(thread.id, sending, true),
            () => desk.verbs.drop(thread.id, sending, false),
          ),
        ),
      ),
    ),
  );
}

/** An answer that failed can be asked for again. @param {Desk} desk @param {Thread} thread @param {Conversation} conversation */
function again({ state, verbs }, thread, conversation) {
  const last = inOrder(conversation).findLast((one) => one.author.kind === "customer" || one.author.kind === "agent");
  if (last?.status !== "failed" || last.error === "taken_over" || thread.assignment.to !== "ai" || !works(state)) return null;
  return h(
    "div",
    { class: "older", key: "again" },
    button("Let the AI try again", verbs.respondAgain, { look: "small", icon: "retry", disabled: state.busy.has("respond") }),
  );
}

/** Floats over the timeline while somebody reads further up. @param {Desk} desk @param {Conversation} conversation @param {Thread} thread */
export function jump(desk, conversation, thread) {
  if (!desk.scroller.away) return null;
  const words = conversation.fresh ? `${counted(conversation.fresh, "new message")}` : "Jump to newest";
  return h(
    "div",
    { class: "jump-slot", key: "jump" },
    h(
      "button",
      {
        type: "button",
        class: "button jump",
        id: "jump",
        onclick: () => {
          desk.scroller.toEnd();
          conversation.fresh = 0;
          desk.changed();
        },
      },
      words,
      conversation.fresh > 0 && h("span", { class: "sr" }, ` from ${customerName(thread)} and others, jump to newest`),
      icon("down", true),
    ),
  );
}

/** @param {Entry[]} entries @param {number} now */
function withDays(entries, now) {
  const out = [];
  let before = Number.NaN;
  for (const { at, view } of entries) {
    if (!Number.isNaN(at) && !sameDay(at, before)) {
      out.push(h("div", { class: "day-line", key: `day:${new Date(at).toDateString()}` }, dayLabel(at, now)));
      before = at;
    }
    out.push(view);
  }
  return out;
}

/** @param {Desk} desk @param {Thread} thread @param {Conversation} conversation @returns {Entry[]} */
function entriesOf(desk, thread, conversation) {
  const messages = inOrder(conversation);
  const results = resultsByCall(messages);
  const placed = placeRequests(messages, [...conversation.requests.values()]);
  // Their cards say what these calls ask, and an approval what becomes of it until there is a result.
  const asked = new Set(
    [...conversation.requests.values()].filter((one) => one.kind !== "approval" || needsPerson(one)).map((one) => one.call_id),
  );
  const approvals = new Set(
    [...conversation.requests.values()].filter((one) => one.kind === "approval").map((one) => one.call_id),
  );
  const drafts = new Set([...conversation.requests.values()].filter(isWaiting).map((one) => one.draft));
  const rated = activitiesOf(conversation.ratings, customerName(thread));
  const loose = [...conversation.activity.values(), ...rated].sort((a, b) => a.at - b.at);
  /** @type {Entry[]} */
  const entries = [];
  let next = 0;
  const activitiesUntil = (/** @type {number} */ at) => {
    while (next < loose.length && loose[next].at < at) entries.push(activityRow(loose[next++]));
  };
  messages.forEach((message, i) => {
    const at = ms(message.created_at);
    if (i === 0 || message.order !== messages[i - 1].order) activitiesUntil(at);
    if (!drafts.has(message.id))
      entries.push(
        ...messageEntries(desk, thread, message, results, (call, result) => asked.has(call) || (!result && approvals.has(call))),
      );
    for (const request of placed.get(message.id) ?? []) entries.push(...requestEntries(desk, thread, request));
  });
  for (const request of placed.get("") ?? []) entries.push(...requestEntries(desk, thread, request));
  activitiesUntil(Infinity);
  return entries;
}

/** @param {Desk} desk @param {Thread} thread @param {Message} message @param {Map<string, any>} results
 * @param {(call: any, result: any) => boolean} onCard @returns {Entry[]} */
function messageEntries({ state }, thread, message, results, onCard) {
  const { ratings } = conversationOf(state, thread.id);
  const at = ms(message.created_at);
  /** @type {Entry[]} */
  const entries = [];
  const calls = (message.parts ?? []).filter((part) => part.type === "tool_call");
  for (const call of calls) {
    const result = results.get(`${message.order}:${call.call_id}`);
    if (onCard(call.call_id, result)) continue;
    entries.push({
      at,
      view: memo(`call:${message.id}:${call.call_id}`, [message, result], () => toolCall(call, result, message)),
    });
  }
  if (message.role === "tool") return entries;
  const streamed = state.streams.get(message.id)?.text ?? null;
  const silent =
    !message.text && !streamed && message.status !== "pending" && !(message.parts ?? []).some((part) => part.type === "file");
  const failedEmpty = silent && message.status === "failed" && message.error !== "taken_over";
  if (silent && !failedEmpty) return entries;
  entries.push({
    at,
    view: memo(`message:${message.id}:${message.status === "pending"}`, [message, streamed, state.around.team.items, ratings], () =>
      messageView(
        message,
        streamed,
        state.me?.id ?? "",
        customerName(thread),
        state.around.team.items,
        ratingsOf(ratings, message.id, customerName(thread)),
      ),
    ),
  });
  return entries;
}

/** @param {Desk} desk @param {Thread} thread @param {Request} request @returns {Entry[]} */
function requestEntries(desk, thread, request) {
  const at = ms(request.created_at);
  const activity = activityOfRequest(desk.state, thread, request);
  return [...(activity ? [activityRow(activity)] : []), { at, view: requestCard(desk, thread, request) }];
}

/** @param {import("./state.js").Activity} activity @returns {Entry} */
function activityRow(activity) {
  const { key, at, icon: name, who, what, why } = activity;
  return {
    at,
    view: memo(key, [who, what, why], () =>
      h(
        "p",
        { class: "activity" },
        icon(name, true),
        h("span", null, h("b", null, `${who} ${what}${why ? ":" : "."}`), why && ` ${why}`),
      ),
    ),
  };
}

/** Call ids are unique in their turn at best. @param {Message[]} messages */
function resultsByCall(messages) {
  const found = new Map();
  for (const message of messages) {
    for (const part of message.parts ?? []) if (part.type === "tool_result") found.set(`${message.order}:${part.call_id}`, part);
  }
  return found;
}

/**
 * A card stands at the end of the turn that asked: by its tool call, or else by its time.
 * @param {Message[]} messages @param {Request[]} requests @returns {Map<string, Request[]>} by the message it follows
 */
function placeRequests(messages, requests) {
  /** @type {Map<string, Request[]>} */
  const placed = new Map();
  for (const request of [...requests].sort((a, b) => ms(a.created_at) - ms(b.created_at))) {
    const at = ms(request.created_at);
    const asker =
      messages.find((one) => one.id === (request.call_message ?? request.draft)) ??
      messages.findLast(
        (one) =>
          ms(one.created_at) <= at + 5000 &&
          (one.parts ?? []).some((part) => part.type === "tool_call" && part.call_id === request.call_id),
      ) ??
      messages.findLast((one) => ms(one.created_at) <= at);
    // Asked before the oldest loaded message: its turn is loaded later.
    if (!asker && messages.length) continue;
    // What the agent said while asking comes before the card, the answer after it.
    const turn = asker && messages.filter((one) => one.order === asker.order && ms(one.created_at) <= at + 250);
    const after = turn?.length ? turn[turn.length - 1].id : "";
    placed.set(after, [...(placed.get(after) ?? []), request]);
  }
  return placed;
}
