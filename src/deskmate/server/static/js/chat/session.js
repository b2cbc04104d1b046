// Screens, chat: who the visitor is and which thread is theirs. Starts with the first message, survives a reload.

import { createApi } from "../core/api.js";
import { remembered } from "../core/store.js";

/** @typedef {{token: string | null, customer: string | null, thread: string | null}} Session */

/** @param {{onLost: () => void}} options called when the server does not know the visitor any more */
export function createSession({ onLost }) {
  const memory = remembered("deskmate.chat");
  /** @type {Session} */
  let now = { token: null, customer: null, thread: null, ...memory.get() };
  const api = createApi({ token: () => now.token, onUnauthenticated: lost });

  /** @param {Partial<Session>} change */
  function set(change) {
    now = { ...now, ...change };
    memory.set(now.token ? now : null);
  }

  function lost() {
    if (!now.token) return;
    set({ token: null, customer: null, thread: null });
    onLost();
  }

  /** A visitor with a token. */
  async function ready() {
    if (now.token) return;
    const { token, customer } = await api.post("/api/chat/sessions", {}, { quiet: true });
    set({ token, customer });
  }

  /** The thread to write to; opened when there is none. @param {string} key @returns {Promise<string>} */
  async function threadFor(key) {
    await ready();
    if (now.thread) return now.thread;
    const thread = await api.post("/api/threads", {}, { key: `${key}-thread` });
    set({ thread: thread.id });
    return thread.id;
  }

  return { api, lost, threadFor, set, get: () => now };
}
