// Screens, inbox: the centred rows of a timeline, who did what and why.

import { capital, ms } from "../core/format.js";
import { untilWords } from "./snoozing.js";
import { agentName, isWaiting } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Activity} Activity */
/** @typedef {import("../core/types.js").Change} Change */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Thread} Thread */

/**
 * @param {State} state
 * @param {import("../core/feed.js").FeedEvent} event
 * @returns {Activity | null}
 */
export function activityOfEvent(state, event) {
  const { type, actor, at, data } = event;
  if (type === "thread.assigned") return activityOfChange(state, { ...data, by: actor, at });
  if (type === "run.failed") {
    return {
      key: `event:${event.seq}`,
      at: ms(at),
      icon: "escalation",
      who: capital(actor?.name || "the AI"),
      what: "could not answer",
      why: data?.error ?? "",
    };
  }
  return null;
}

/** A change of hands. @param {State} state @param {Change} change @returns {Activity | null} */
export function activityOfChange(state, { cause, to, reason, note, by, at: when }) {
  const who = by?.id && by.id === state.me?.id ? "You" : by?.name || (by?.kind === "customer" ? "The customer" : "Deskmate");
  const at = ms(when);
  const key = `assigned:${at}`;
  // "Ana took over: Ana took over" says nothing twice.
  const why = note
    ? `“${note}”`
    : /took over|handed back|gave it to|took it|took the next/i.test(reason ?? "")
      ? ""
      : (reason ?? "");
  const target =
    to?.to === "queue" ? `the queue ${to.name || to.id}` : to?.id && to.id === state.me?.id ? "you" : to?.name || "a colleague";
  switch (cause) {
    case "opened":
      return null;
    case "claim":
      return actorTakes(by, to)
        ? { key, at, icon: "person", who, what: "took this from the queue", why }
        : { key, at, icon: "person", who: capital(target), what: target === "you" ? "were given this" : "was given this", why };
    case "takeover":
      return { key, at, icon: "person", who, what: "took over", why };
    case "hand_back":
      return { key, at, icon: "route", who, what: `handed back to the AI${note ? " with a note" : ""}`, why };
    case "escalation":
      return { key, at, icon: "escalation", who, what: `passed this on to ${target}`, why };
    case "transfer":
      return { key, at, icon: "route", who, what: `gave this to ${target}`, why };
    case "release":
      return { key, at, icon: "route", who, what: `gave this back to ${target}`, why };
    default:
      return { key, at, icon: "route", who, what: `passed this on to ${target}`, why };
  }
}

/** Whether who is assigned did it themselves. @param {any} by @param {any} to */
function actorTakes(by, to) {
  return Boolean(by?.id) && by.id === to?.id;
}

/** What people changed on a thread; called before the record is taken, for tags are told by what was there. @param {State} state
 * @param {import("../core/feed.js").FeedEvent} event @returns {Activity[]} */
export function changesOfEvent(state, { seq, thread: id, actor, at: when, data }) {
  const conversation = id ? state.conversations.get(id) : undefined;
  const thread = data?.thread;
  if (!conversation || !thread) return [];
  const at = ms(when);
  const me = Boolean(actor?.id) && actor.id === state.me?.id;
  const who = me ? "You" : actor?.name || "Deskmate";
  const row = (/** @type {string} */ what, /** @type {string} */ name, /** @type {string} */ text, why = "") => ({
    key: `event:${seq}:${what}`,
    at,
    icon: name,
    who,
    what: text,
    why,
  });
  /** @type {Activity[]} */
  const rows = [];
  const changed = data.changed ?? [];
  const snoozed = data.status === "snoozed";
  if (snoozed && (changed.includes("status") || changed.includes("snoozed_until"))) {
    rows.push(
      row("status", "snooze", `snoozed this ${thread.status === "snoozed" ? untilWords(thread.snoozed_until, at) : ""}`.trim()),
    );
  } else if (changed.includes("status")) {
    const woke = data.status === "open" && actor?.kind !== "operator";
    if (data.status === "resolved") rows.push(row("status", "check", "resolved this"));
    else
      rows.push(
        woke ? { ...row("status", "retry", "woke up"), who: "This thread" } : row("status", "retry", "opened this again"),
      );
  }
  if (changed.includes("priority")) rows.push(row("priority", "sort", `set the priority to ${thread.priority}`));
  if (changed.includes("tags")) {
    const before = conversation.tags ?? [];
    const now = thread.tags ?? [];
    const added = now.filter((/** @type {string} */ one) => !before.includes(one));
    const removed = before.filter((one) => !now.includes(one));
    conversation.tags = [...now];
    const parts = [
      added.length && `added the ${added.length > 1 ? "tags" : "tag"} ${added.join(", ")}`,
      removed.length && `removed the ${removed.length > 1 ? "tags" : "tag"} ${removed.join(", ")}`,
    ].filter(Boolean);
    if (parts.length) rows.push(row("tags", "tag", parts.join(" and ")));
  }
  return rows;
}

/** While its card is open the reason stands there; afterwards it stands here. A thread that was passed on has a row for that already. @param {State} state @param {Thread} thread @param {Request} request @returns {Activity | null} */
export function activityOfRequest(state, thread, request) {
  if (request.kind === "escalation" && !request.call_id) return null;
  const who = capital(request.agent || agentName(state, thread));
  const what =
    request.kind === "question"
      ? "asked for help"
      : request.draft
        ? "wrote a draft"
        : request.kind === "approval"
          ? "asked for approval"
          : "asked for a person";
  const why = isWaiting(request) ? scoreText(request) : reasonText(request);
  const sentences = [why && `${capital(why)}.`, request.queue && `Sent to ${request.queue}.`];
  return {
    key: `request:${request.id}`,
    at: ms(request.created_at),
    icon: "route",
    who,
    what,
    why: sentences.filter(Boolean).join(" "),
  };
}

/** Why it was asked, with the score unless the reason tells it already. @param {Request} request */
export function reasonText(request) {
  const reason = (request.reason ?? "").trim().replace(/\.$/, "");
  const told = typeof request.floor === "number" && reason.includes(request.floor.toFixed(2));
  return [reason, told ? "" : scoreText(request)].filter(Boolean).join(", ");
}

/** "0.41 under the floor of 0.71" @param {Request} request */
export function scoreText(request) {
  if (typeof request.confidence !== "number") return "";
  const score = request.confidence.toFixed(2);
  if (typeof request.floor !== "number") return `confidence ${score}`;
  return `${score} ${request.confidence < request.floor ? "under" : "over"} the floor of ${request.floor.toFixed(2)}`;
}
