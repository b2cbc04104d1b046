// Screens, inbox: what an operator does. Each verb is one call; what it says no with is shown where the verb was used.

import { createDeciding } from "./deciding.js";
import { takeMessage, takeThread } from "./incoming.js";
import { createMoving } from "./moving.js";
import { noticeOf } from "./notices.js";
import { conversationOf, heldByMe, openThread, wordsOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Sending} Sending */
/** @typedef {import("../core/types.js").Thread} Thread */

/**
 * @param {{state: State, changed: () => void, api: import("./loading.js").Api, load: ReturnType<typeof import("./loading.js").createLoading>,
 *   go: (view: Partial<import("./state.js").View>) => void, focus: (what: string) => void,
 *   unsent: ReturnType<typeof import("./unsent.js").createUnsent>, signs: ReturnType<typeof import("./signs.js").createSigns>}} desk
 */
export function createVerbs({ state, changed, api, load, go, focus, unsent, signs }) {
  /** @param {string} name @param {() => Promise<void>} work */
  async function once(name, work) {
    if (state.busy.has(name)) return;
    state.busy.add(name);
    state.notice = "";
    changed();
    try {
      await work();
    } catch (error) {
      state.notice = noticeOf(error);
    } finally {
      state.busy.delete(name);
      changed();
    }
  }

  /** @param {Thread} thread @param {Record<string, any>} body */
  async function assign(thread, body) {
    try {
      takeThread(
        state,
        await api.post(`/api/threads/${encodeURIComponent(thread.id)}/assignment`, { epoch: thread.epoch, ...body }),
      );
    } catch (error) {
      if (/** @type {any} */ (error).code === "epoch_moved") await load.thread(thread.id, { quiet: true });
      throw error;
    }
    load.refreshSoon();
  }

  const takeOver = () =>
    once("assign", async () => {
      const thread = openThread(state);
      if (!thread || !state.me || heldByMe(thread, state.me)) return;
      await assign(thread, { to: `operator:${state.me.id}` });
      wordsOf(state, thread.id).tab = "reply";
      focus("composer");
    });

  /** @param {string} note */
  const handBack = (note) =>
    once("assign", async () => {
      const thread = openThread(state);
      if (!thread) return;
      await assign(thread, note.trim() ? { to: "ai", note: note.trim() } : { to: "ai" });
    });

  /** Shown at once, and taken back when the server says no. @param {Record<string, any>} body */
  const change = (body) =>
    once("change", async () => {
      const thread = openThread(state);
      if (!thread) return;
      state.threads.set(thread.id, { ...thread, ...body });
      changed();
      try {
        takeThread(state, await api.patch(`/api/threads/${encodeURIComponent(thread.id)}`, body));
      } catch (error) {
        state.threads.set(thread.id, thread);
        throw error;
      }
      load.refreshSoon();
    });

  /** @param {boolean} next whether to open the next row afterwards */
  async function resolve(next) {
    const { ids } = state.list;
    const at = ids.indexOf(state.view.thread ?? "");
    const after = ids[at + 1] ?? ids[at - 1] ?? null;
    await change({ status: "resolved" });
    if (next && !state.notice && after) go({ thread: after });
  }

  /** @param {"public" | "note"} visibility */
  function send(visibility) {
    const thread = openThread(state);
    if (!thread) return;
    const words = wordsOf(state, thread.id);
    const field = visibility === "note" ? "note" : "reply";
    const text = words[field].trim();
    const attached = words.files[field].filter((one) => one.state === "done");
    if (!text && !attached.length) return;
    const takeOver = visibility === "public" && !heldByMe(thread, state.me);
    /** @type {Sending} */
    const sending = {
      key: crypto.randomUUID(),
      text,
      visibility,
      at: Date.now(),
      state: "sending",
      error: "",
      takeOver,
      files: attached.map(({ id, name }) => ({ id, name })),
    };
    conversationOf(state, thread.id).sendings.push(sending);
    words[field] = "";
    words.files[field] = words.files[field].filter((one) => !attached.includes(one));
    state.hints = null;
    signs.stopped(thread.id, visibility);
    void deliver(thread.id, sending);
  }

  /** The same key every time, so that a retry never doubles. @param {string} id @param {Sending} sending */
  async function deliver(id, sending) {
    const conversation = conversationOf(state, id);
    Object.assign(sending, { state: "sending", error: "" });
    changed();
    await unsent.rest(id, sending.visibility);
    try {
      const thread = state.threads.get(id);
      if (sending.takeOver && thread && !heldByMe(thread, state.me)) await assign(thread, { to: `operator:${state.me?.id}` });
      const files = sending.files.map((one) => one.id);
      const body = { text: sending.text, visibility: sending.visibility, ...(files.length ? { files } : {}) };
      const message = await api.post(`/api/threads/${encodeURIComponent(id)}/messages`, body, { key: sending.key });
      takeMessage(state, message);
      conversation.sendings = conversation.sendings.filter((one) => one !== sending);
      unsent.sent(id, sending.visibility);
    } catch (error) {
      Object.assign(sending, { state: "failed", error: noticeOf(error) });
      unsent.typed(id, sending.visibility);
    }
    changed();
  }

  /** @param {string} id @param {Sending} sending @param {boolean} edit whether its text goes back into the composer */
  function drop(id, sending, edit) {
    const conversation = conversationOf(state, id);
    conversation.sendings = conversation.sendings.filter((one) => one !== sending);
    if (edit) {
      const words = wordsOf(state, id);
      words.tab = sending.visibility === "note" ? "note" : "reply";
      words[words.tab] = [words[words.tab], sending.text].filter(Boolean).join("\n");
      for (const { id: file, name } of sending.files) words.files[words.tab].push(attachedBefore(file, name));
      focus("composer");
    }
    unsent.typed(id, sending.visibility);
    changed();
  }

  /** @param {string} presence */
  const setPresence = (presence) =>
    once("presence", async () => {
      const before = /** @type {any} */ (state.me);
      state.me = { ...before, presence };
      changed();
      try {
        state.me = { ...before, ...(await api.patch("/api/me", { presence })) };
      } catch (error) {
        state.me = before;
        throw error;
      }
    });

  const respondAgain = () =>
    once("respond", async () => {
      if (state.view.thread) await api.post(`/api/threads/${encodeURIComponent(state.view.thread)}/respond`);
    });

  const deciding = createDeciding({ state, changed, api, load, focus, deliver });
  const moving = createMoving({ state, changed, api, load });
  return { takeOver, handBack, change, resolve, send, deliver, drop, setPresence, respondAgain, ...moving, ...deciding };
}

/** A file that is on the server already. @param {string} id @param {string} name @returns {import("../core/uploads.js").Attachment} */
function attachedBefore(id, name) {
  const file = new File([], name);
  return { key: crypto.randomUUID(), name, size: 0, file, progress: 1, state: "done", error: "", id, stop: () => undefined };
}
