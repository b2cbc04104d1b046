// Screens, inbox: signs of life for colleagues and customers: who views, who types, how far somebody has read.

import { inOrder } from "./state.js";

const VIEWING = 30_000;
const TYPING = 4_000;
const AGAIN = 15_000;

/** @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api, away: () => boolean}} desk
 *   `away`: whether the reader is further up than the newest message */
export function createSigns({ state, changed, api, away }) {
  let viewed = "";
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let typed = { key: "", at: 0 };
  /** @type {Map<string, {message: string, failed: number}>} */
  const read = new Map();

  /** @param {string} thread @param {string} what @param {Record<string, any>} body @param {boolean} [keepalive] */
  const say = (thread, what, body, keepalive) =>
    api.post(`/api/threads/${encodeURIComponent(thread)}/${what}`, body, { keepalive, quiet: true }).catch(() => undefined);

  /** After each drawing: what is before somebody's eyes now. */
  function look() {
    const id = state.view.thread;
    const conversation = id ? state.conversations.get(id) : undefined;
    const seen = state.phase === "ready" && !document.hidden && conversation?.loaded && id && state.threads.has(id) ? id : "";
    if (seen !== viewed) {
      leave();
      viewed = seen;
      if (viewed) {
        void say(viewed, "viewing", { viewing: true });
        timer = setInterval(() => void say(viewed, "viewing", { viewing: true }), VIEWING);
      }
    }
    if (seen && conversation && !away()) void reading(seen, conversation);
  }

  /** @param {boolean} [keepalive] */
  function leave(keepalive) {
    clearInterval(timer);
    if (viewed && state.phase === "ready") void say(viewed, "viewing", { viewing: false }, keepalive);
    viewed = "";
    typed = { key: "", at: 0 };
  }

  /** @param {string} id @param {import("./state.js").Conversation} conversation */
  async function reading(id, conversation) {
    const newest = inOrder(conversation).findLast((one) => one.status !== "pending");
    const told = read.get(id);
    if (!newest || (told?.message === newest.id && (!told.failed || Date.now() - told.failed < AGAIN))) return;
    const mine = { message: newest.id, failed: 0 };
    read.set(id, mine);
    try {
      const answer = await api.post(`/api/threads/${encodeURIComponent(id)}/read`, { message: newest.id }, { quiet: true });
      const thread = state.threads.get(id);
      if (!thread || typeof answer?.unread !== "number" || thread.unread === answer.unread) return;
      state.threads.set(id, { ...thread, unread: answer.unread });
      changed();
    } catch {
      mine.failed = Date.now();
    }
  }

  /** Somebody types: told at most every four seconds, and once when there is nothing left. @param {string} thread @param {"public" | "note"} visibility @param {string} text */
  function typing(thread, visibility, text) {
    const key = `${visibility}:${thread}`;
    if (!text.trim()) return stopped(thread, visibility);
    if (typed.key === key && Date.now() - typed.at < TYPING) return;
    typed = { key, at: Date.now() };
    void say(thread, "typing", { typing: true, visibility });
  }

  /** @param {string} thread @param {"public" | "note"} visibility */
  function stopped(thread, visibility) {
    if (typed.key !== `${visibility}:${thread}`) return;
    typed = { key: "", at: 0 };
    void say(thread, "typing", { typing: false, visibility });
  }

  return { look, leave, typing, stopped };
}
