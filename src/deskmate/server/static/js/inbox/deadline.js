// Screens, inbox: until when a request waits for people, and what happens then.

import { h } from "../core/dom.js";
import { counted, duration, ms, shorten, valueText } from "../core/format.js";
import { icon } from "../core/icons.js";

/** @typedef {{expires_at?: any, created_at?: any, on_expiry?: string | null, default?: any, missed?: number, draft?: string | null}} Timed */

/** The last tenth of the time is near. @param {Timed} request @param {number} now @returns {"" | "ok" | "near" | "missed"} */
export function nearness(request, now) {
  const end = ms(request.expires_at);
  if (Number.isNaN(end)) return "";
  if (end < now) return "missed";
  return end - now < (end - ms(request.created_at)) / 10 ? "near" : "ok";
}

/** @param {Timed} request @param {number} [limit] */
export function outcomeWords(request, limit = 60) {
  switch (request.on_expiry) {
    case "deny":
      return request.draft ? "then it is not sent" : "then it is denied";
    case "approve":
      return "then it is approved";
    case "default":
      return `then the answer is: ${shorten(valueText(request.default ?? ""), limit)}`;
    case "escalate":
      return "then it goes up in priority";
    case "reassign":
      return "then somebody else is asked";
    default:
      return "";
  }
}

/** No countdown without its outcome. @param {Timed} request @param {number} now */
export function countdown(request, now) {
  const near = nearness(request, now);
  const missed = request.missed ?? 0;
  if (!near && !missed) return null;
  const left = ms(request.expires_at) - now;
  return h(
    "span",
    { class: `countdown countdown--${missed ? "missed" : near}`, role: "timer", title: outcomeWords(request, 400) || undefined },
    icon("clock", true),
    missed > 0 && h("span", { class: "countdown-missed" }, `overdue: ${counted(missed, "deadline")} missed`),
    near === "missed"
      ? h("b", null, `${duration(-left)} over`)
      : near && h("b", null, h("span", { class: "sr" }, "Time left: "), duration(left)),
    h(
      "span",
      { class: "countdown-then" },
      near === "missed" ? outcomeWords(request).replace("then", "now") : outcomeWords(request),
    ),
  );
}
