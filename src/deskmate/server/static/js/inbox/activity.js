// Screens, inbox: the centred rows of a timeline, who did what and why.

import { capital, ms } from "../core/format.js";
import { agentName, heldByMe } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Activity} Activity */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Thread} Thread */

/**
 * @param {State} state
 * @param {import("../core/feed.js").FeedEvent} event
 * @returns {Activity | null}
 */
export function activityOfEvent(state, event) {
  const who = event.actor?.id && event.actor.id === state.me?.id ? "You" : event.actor?.name || "Deskmate";
  const at = ms(event.at);
  if (event.type === "thread.assigned") return assigned(state, event, who, at);
  if (event.type === "run.failed") {
    return { key: `event:${event.seq}`, at, icon: "escalation", who: capital(event.actor?.name || "the AI"), what: "could not answer", why: event.data?.error ?? "" };
  }
  return null;
}

/** @param {State} state @param {any} event @param {string} who @param {number} at @returns {Activity | null} */
function assigned(state, event, who, at) {
  const { cause, to, reason, note } = event.data ?? {};
  const key = `assigned:${at}`;
  // "Ana took over: took over" says nothing twice.
  const why = note ? `“${note}”` : /^(took over|takeover|handed back|hand.?back)/i.test(reason ?? "") ? "" : reason ?? "";
  const target = to?.to === "operator" && to.id === state.me?.id ? "you" : to?.name || to?.id || "the queue";
  switch (cause) {
    case "opened": return null;
    case "takeover": return { key, at, icon: "person", who, what: "took over", why };
    case "hand_back": return { key, at, icon: "route", who, what: note ? "handed back to the AI with a note" : "handed back to the AI", why };
    case "escalation": return { key, at, icon: "escalation", who, what: to?.to === "queue" ? `passed this on to the queue ${target}` : `passed this on to ${target}`, why };
    case "release": return { key, at, icon: "route", who, what: `gave this back to the queue ${target}`, why };
    default: return { key, at, icon: "route", who, what: `passed this on to ${target}`, why };
  }
}

/**
 * The assignment as it stands, for threads whose past events were not seen here.
 * @param {State} state @param {Thread} thread @returns {Activity | null}
 */
export function activityOfAssignment(state, thread) {
  const { to, id, name, since, reason } = thread.assignment;
  const at = ms(since);
  if (to === "ai") return null;
  const key = `assigned:${at}`;
  if (to === "queue") return { key, at, icon: "route", who: "Waits", what: `in the queue ${name || id}`, why: reason };
  return { key, at, icon: "person", who: heldByMe(thread, state.me) ? "You" : name || "An operator", what: "took over", why: reason };
}

/** @param {State} state @param {Thread} thread @param {Request} request @returns {Activity} */
export function activityOfRequest(state, thread, request) {
  const who = capital(request.agent || agentName(state, thread));
  const what = request.kind === "question" ? "asked for help" : request.kind === "approval" ? "asked for approval" : "asked for a person";
  const sure = scoreText(request);
  const why = [request.reason, sure].filter(Boolean).join(", ");
  const to = request.queue ? ` Sent to ${request.queue}.` : "";
  return { key: `request:${request.id}`, at: ms(request.created_at), icon: "route", who, what, why: (why ? `${why.replace(/\.$/, "")}.` : "") + to };
}

/** "0.41 under the floor of 0.71" @param {Request} request */
export function scoreText(request) {
  if (typeof request.confidence !== "number") return "";
  const score = request.confidence.toFixed(2);
  if (typeof request.floor !== "number") return `confidence ${score}`;
  return `${score} ${request.confidence < request.floor ? "under" : "over"} the floor of ${request.floor.toFixed(2)}`;
}
