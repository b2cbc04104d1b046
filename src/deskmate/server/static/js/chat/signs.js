// Screens, chat: what the team is shown of the visitor: that they type, and how far they have read.

import { inOrder } from "./state.js";

const TYPING = 4_000;

/** @param {{state: import("./state.js").State, post: (path: string, body: any) => Promise<any>, atEnd: () => boolean}} chat */
export function createSigns({ state, post, atEnd }) {
  let typed = 0;
  let read = "";

  /** @param {string} what @param {Record<string, any>} body */
  const say = (what, body) =>
    state.thread ? post(`/api/threads/${encodeURIComponent(state.thread.id)}/${what}`, body) : Promise.resolve();

  /** Told at most every four seconds, and once when there is nothing left. @param {string} text */
  function typing(text) {
    if (!text.trim()) return stopped();
    if (Date.now() - typed < TYPING) return;
    typed = Date.now();
    say("typing", { typing: true }).catch(() => undefined);
  }

  function stopped() {
    if (!typed) return;
    typed = 0;
    say("typing", { typing: false }).catch(() => undefined);
  }

  /** After each drawing. */
  function look() {
    if (document.hidden || state.phase !== "ready" || !state.thread || !atEnd()) return;
    const newest = inOrder(state).findLast((one) => one.status !== "pending");
    if (!newest || newest.id === read || newest.author.kind === "customer") return;
    read = newest.id;
    say("read", { message: newest.id }).catch(() => setTimeout(() => (read = ""), 15_000));
  }

  return { typing, stopped, look };
}
