// Screens, inbox: what an operator has typed is kept on the server, and is there again on any machine of theirs.

import { conversationOf, wordsOf } from "./state.js";

/** @typedef {"public" | "note"} Visibility */
/** @typedef {{timer?: ReturnType<typeof setTimeout>, flying: Promise<void> | null, told: string, state: "" | "typed" | "saved" | "failed"}} Kept */

const PAUSE = 900; // ms after the last key
/** @type {Visibility[]} */
const BOTH = ["public", "note"];

/** @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api}} desk */
export function createUnsent({ state, changed, api }) {
  /** @type {Map<string, Kept>} */
  const all = new Map();

  /** @param {string} thread @param {Visibility} visibility @returns {Kept} */
  function keptOf(thread, visibility) {
    const key = `${visibility}:${thread}`;
    let found = all.get(key);
    if (!found) all.set(key, (found = { flying: null, told: "", state: "" }));
    return found;
  }

  /** What is in the composer, and before it what could not be sent. @param {string} thread @param {Visibility} visibility */
  function textOf(thread, visibility) {
    const words = wordsOf(state, thread);
    const stuck = conversationOf(state, thread).sendings.filter((one) => one.state === "failed" && one.visibility === visibility);
    return [...stuck.map((one) => one.text), visibility === "note" ? words.note : words.reply].filter(Boolean).join("\n");
  }

  /** @param {string} thread @param {Visibility} visibility */
  function typed(thread, visibility) {
    const kept = keptOf(thread, visibility);
    clearTimeout(kept.timer);
    kept.state = "typed";
    kept.timer = setTimeout(() => void keep(thread, visibility), PAUSE);
  }

  /** @param {string} thread @param {Visibility} visibility @param {{keepalive?: boolean}} [options] */
  async function keep(thread, visibility, { keepalive } = {}) {
    const kept = keptOf(thread, visibility);
    clearTimeout(kept.timer);
    if (!keepalive) await kept.flying;
    const text = textOf(thread, visibility);
    if (text === kept.told) {
      if (kept.state === "typed") kept.state = text ? "saved" : "";
      return changed();
    }
    kept.flying = put(thread, visibility, kept, text, keepalive);
    await kept.flying;
    changed();
  }

  /** @param {string} thread @param {Visibility} visibility @param {Kept} kept @param {string} text @param {boolean} [keepalive] */
  async function put(thread, visibility, kept, text, keepalive) {
    try {
      await api.put(`/api/threads/${encodeURIComponent(thread)}/unsent`, { text, visibility }, { keepalive, quiet: keepalive });
      kept.told = text;
      kept.state = textOf(thread, visibility) === text ? (text ? "saved" : "") : "typed";
    } catch {
      kept.state = "failed";
    }
    kept.flying = null;
  }

  /** Before a message is sent: nothing that was typed may arrive behind it. @param {string} thread @param {Visibility} visibility */
  async function rest(thread, visibility) {
    const kept = keptOf(thread, visibility);
    clearTimeout(kept.timer);
    await kept.flying;
  }

  /** After it: the message has cleared what the server kept. @param {string} thread @param {Visibility} visibility */
  function sent(thread, visibility) {
    const kept = keptOf(thread, visibility);
    kept.told = "";
    kept.state = "";
    if (textOf(thread, visibility)) typed(thread, visibility);
  }

  /** What was typed here before, perhaps on another machine; what is in the composer now is newer. @param {string} thread */
  async function load(thread) {
    let items;
    try {
      items = (await api.get(`/api/threads/${encodeURIComponent(thread)}/unsent`)).items;
    } catch {
      return;
    }
    const words = wordsOf(state, thread);
    for (const visibility of BOTH) {
      const text = items.find((/** @type {any} */ one) => one.visibility === visibility)?.text ?? "";
      const kept = keptOf(thread, visibility);
      const field = visibility === "note" ? "note" : "reply";
      const here = textOf(thread, visibility);
      if (kept.state === "typed" || kept.flying || here !== kept.told) continue;
      kept.told = text;
      kept.state = text ? "saved" : "";
      if (text === here) continue;
      words[field] = text;
    }
    if (!words.reply && words.note) words.tab = "note";
    changed();
  }

  /** The page is about to go. */
  function flush() {
    for (const [key, kept] of all) {
      if (kept.state !== "typed" && kept.state !== "failed") continue;
      const [visibility, thread] = key.split(/:(.*)/);
      void keep(thread, /** @type {Visibility} */ (visibility), { keepalive: true });
    }
  }

  return {
    typed,
    rest,
    sent,
    load,
    flush,
    stateOf: (/** @type {string} */ thread, /** @type {Visibility} */ visibility) => keptOf(thread, visibility).state,
  };
}
