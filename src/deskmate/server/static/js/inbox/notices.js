// Screens, inbox: what the server says no with, in words for operators.

import { firstName } from "../core/format.js";

/** @param {any} error @returns {string} */
export function noticeOf(error) {
  if (error.code === "claimed" && error.facts?.by) return `${firstName(error.facts.by.name)} has claimed this.`;
  if (error.code === "epoch_moved") {
    const holder = error.facts?.holder;
    const who = holder?.to === "ai" ? "the AI" : holder?.to === "queue" ? `the queue ${holder.name ?? holder.id}` : holder?.name;
    return who
      ? `The thread changed hands a moment ago: ${who} holds it now. Look again, then decide.`
      : "The thread changed hands a moment ago. Look again, then decide.";
  }
  if (error.code === "at_capacity")
    return `${error.message || "No room"}, and has no room for another thread. A lead can give it to them all the same.`;
  if (error.code === "rate_limited")
    return `Too many at once. Try again${error.facts.retry_after ? ` in ${error.facts.retry_after} s` : " shortly"}.`;
  return error.message || "That did not work.";
}
