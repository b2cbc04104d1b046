// Screens, inbox: which card a request gets, by what is asked and how it stands.

import { approval } from "./approval.js";
import { doubt } from "./doubt.js";
import { draft } from "./draft.js";
import { escalation } from "./escalation.js";
import { question } from "./question.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("./state.js").Card} Card */

/**
 * What a person sees and can do: `press` is what the keys a, e and r do on the card that is selected.
 * @typedef {{body: (desk: Desk, thread: Thread, request: Request, card: Card) => any,
 *   footer: (desk: Desk, thread: Thread, request: Request, card: Card) => any,
 *   press: (desk: Desk, request: Request, card: Card, key: string) => unknown}} Way
 */

/** @param {Request} request @returns {Way} */
export function wayOf(request) {
  if (request.state === "in_doubt") return doubt;
  if (request.draft && !request.tool) return draft;
  return { question, approval, escalation }[request.kind];
}
