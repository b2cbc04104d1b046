// Screens, inbox: deciding a request, once. Who loses a race is told who won, and keeps their own words.

import { takeRequest } from "./incoming.js";
import { formOf } from "./question.js";
import { rootOf } from "./approval.js";
import { cardOf, cardWords, conversationOf, isWaiting, pendingRequests } from "./state.js";
import { placed } from "./typed.js";
import { noticeOf } from "./notices.js";

/** @typedef {import("../core/types.js").Request} Request */

/**
 * @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api,
 *   load: ReturnType<typeof import("./loading.js").createLoading>, focus: (what: string) => void,
 *   deliver: (thread: string, sending: import("./state.js").Sending) => Promise<void>}} desk
 */
export function createDeciding({ state, changed, api, load, focus, deliver }) {
  /** @param {Request} request @param {string} verb @param {Record<string, any>} body @param {() => void} next where the focus goes */
  async function send(request, verb, body, next) {
    const card = cardOf(state, request.id);
    if (card.busy) return;
    Object.assign(card, { busy: true, error: "", problems: {} });
    changed();
    try {
      const now = await api.post(`/api/requests/${encodeURIComponent(request.id)}/${verb}`, body);
      takeRequest(state, now);
      state.cards.delete(request.id);
      // The first of two approvals leaves it open: the card stays, and says what is missing.
      if (isWaiting(now)) focus(`ask:${request.id}`);
      else next();
      load.refreshSoon();
    } catch (error) {
      await refused(request, /** @type {any} */ (error));
    } finally {
      card.busy = false;
      changed();
    }
  }

  /** @param {Request} request @param {string} kind @param {Record<string, any>} [body] */
  const decide = (request, kind, body = {}) =>
    send(request, "decision", { kind, ...body }, () => (kind === "take_over" ? focus("composer") : nextCard(request)));

  /** Say what is known about a call that may have run. @param {Request} request @param {boolean} ran @param {string} words */
  const settle = (request, ran, words) =>
    send(request, "settle", { ran, ...(words ? { [ran ? "value" : "reason"]: words } : {}) }, () => nextCard(request));

  /** @param {Request} request @param {import("../core/api.js").Problem} error */
  async function refused(request, error) {
    const card = cardOf(state, request.id);
    if (error.code === "already_decided" || error.code === "closed") {
      card.lost = true;
      const { by, at, state: now } = error.facts;
      const decision = by ? { kind: "", by, at } : request.decision;
      takeRequest(state, { ...request, state: error.code === "closed" ? (now ?? "cancelled") : "decided", decision });
      focus(`ask:${request.id}`);
      // The answer says who and when; what they decided is on the request.
      await load.request(request.id).catch(() => undefined);
      return;
    }
    if (error.code === "stale") {
      card.stale = true;
      await load.thread(request.thread, { quiet: true });
      focus(`ask:${request.id}`);
      return;
    }
    const path = error.facts?.field ?? "";
    const root = /^value\b/.test(path) ? formOf(request) : /^args\b/.test(path) && request.tool ? rootOf(request) : null;
    if (error.status === 422 && root) {
      const at = placed(root, path, error.message);
      card.problems = { [at.path]: at.message };
      focus(`field:${request.id}-${at.path}`);
    } else if (error.status === 422 && path === "text" && card.mode === "edit") card.problems = { text: error.message };
    else card.error = noticeOf(error);
  }

  /** After a decision the next open card of the thread is next, else the list. @param {Request} done */
  function nextCard(done) {
    const next = pendingRequests(state, done.thread).find((one) => one.id !== done.id);
    state.focusCard = next?.id ?? null;
    if (next) state.movedOn = Date.now();
    focus(next ? `ask:${next.id}` : "list");
  }

  /** @param {Request} request what was typed on a card that somebody else decided */
  function keepAsNote(request) {
    const text = cardWords(cardOf(state, request.id));
    state.cards.delete(request.id);
    /** @type {import("./state.js").Sending} */
    const sending = {
      key: crypto.randomUUID(),
      text,
      visibility: "note",
      at: Date.now(),
      state: "sending",
      error: "",
      takeOver: false,
      files: [],
    };
    conversationOf(state, request.thread).sendings.push(sending);
    void deliver(request.thread, sending);
  }

  return { decide, settle, keepAsNote };
}
