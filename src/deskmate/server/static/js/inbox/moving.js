// Screens, inbox: verbs that move a thread: to somebody, to later, under a tag, through a macro. Each answers with what it was
// refused for, in words, so that the window it was asked in can say so; "" when it is done.

import { takeThread } from "./incoming.js";
import { noticeOf } from "./notices.js";
import { openThread } from "./state.js";

/** @typedef {import("../core/types.js").Thread} Thread */

/**
 * @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api,
 *   load: ReturnType<typeof import("./loading.js").createLoading>}} desk
 */
export function createMoving({ state, changed, api, load }) {
  /** @param {string} name @param {(thread: Thread, path: string) => Promise<any>} work @returns {Promise<string>} */
  async function tried(name, work) {
    const thread = openThread(state);
    if (!thread || state.busy.has(name)) return "";
    state.busy.add(name);
    changed();
    try {
      takeThread(state, await work(thread, `/api/threads/${encodeURIComponent(thread.id)}`));
      load.refreshSoon();
      return "";
    } catch (error) {
      if (/** @type {any} */ (error).code === "epoch_moved") await load.thread(thread.id, { quiet: true });
      return noticeOf(error);
    } finally {
      state.busy.delete(name);
      changed();
    }
  }

  /** @param {string} to @param {string} note */
  const assignTo = (to, note) =>
    tried("assign", (thread, path) =>
      api.post(`${path}/assignment`, { to, epoch: thread.epoch, ...(note.trim() ? { note: note.trim() } : {}) }),
    );

  /** @param {number | null} until in ms; null: until the customer writes */
  const snooze = (until) =>
    tried("change", (_, path) =>
      api.patch(path, { status: "snoozed", ...(until === null ? {} : { snoozed_until: new Date(until).toISOString() }) }),
    );

  /** @param {{add_tags?: string[], remove_tags?: string[]}} tags */
  const tag = (tags) => tried("tags", (_, path) => api.patch(path, tags));

  /** @param {string} macro */
  const runMacro = async (macro) => {
    const id = state.view.thread;
    const refused = await tried("macro", (_, path) => api.post(`${path}/macro`, { macro }));
    if (!refused && id) await load.thread(id, { quiet: true });
    return refused;
  };

  return { assignTo, snooze, tag, runMacro };
}
