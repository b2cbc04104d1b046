// Screens, inbox: the centred rows of a timeline, who did what and why.

import { capital, ms } from "../core/format.js";
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
  const why = note ? `“${note}”` : /took over|handed back|gave it to/i.test(reason ?? "") ? "" : (reason ?? "");
  const target =
    to?.to === "queue" ? `the queue ${to.name || to.id}` : to?.id && to.id === state.me?.id ? "you" : to?.name || "a colleague";
  switch (cause) {
    case "opened":
      return null;
    case "takeover":
      return { key, at, icon: "person", who, what: "took over", why };
    case "hand_back":
      return { key, at, icon: "route", who, what: `handed back to the AI${note ? " with a note" : ""}`, why };
    case "escalation":
      return { key, at, icon: "escalation", who, what: `passed this on to ${target}`, why };
    case "release":
      return { key, at, icon: "route", who, what: `gave this back to ${target}`, why };
    default:
      return { key, at, icon: "route", who, what: `passed this on to ${target}`, why };
  }
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
