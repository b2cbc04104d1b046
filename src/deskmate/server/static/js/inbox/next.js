// Screens, inbox: the next thing for me: taken from the queues by the desk, opened where it is worked on.

import { loadWords } from "./around.js";
import { takeRequest, takeThread } from "./incoming.js";
import { noticeOf } from "./notices.js";

/**
 * @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api,
 *   open: (thread: string, what: string) => void, load: ReturnType<typeof import("./loading.js").createLoading>,
 *   focus: (what: string) => void}} desk
 */
export function createNext({ state, changed, api, open, load, focus }) {
  return async function next() {
    if (state.busy.has("next")) return;
    state.busy.add("next");
    state.next = "";
    changed();
    try {
      const found = await api.post("/api/queues/next");
      if (found) {
        takeThread(state, found.thread);
        if (found.request) takeRequest(state, found.request);
        open(found.thread.id, found.request ? `ask:${found.request.id}` : "work");
        load.refreshSoon();
      } else {
        state.next = full(state) ? fullWords(state.me) : "Nothing waits for you in the queues right now.";
        focus("next-said");
      }
    } catch (error) {
      const { code, facts } = /** @type {any} */ (error);
      state.next = code === "at_capacity" ? fullWords(facts) : noticeOf(error);
      focus("next-said");
    } finally {
      state.busy.delete("next");
      changed();
    }
  };
}

/** Whether not even the smallest thing fits. @param {import("./state.js").State} state */
function full({ me }) {
  return me !== null && (me.capacity ?? 0) - (me.load ?? 0) < 0.2;
}

/** @param {any} operator */
function fullWords(operator) {
  return `You have no room: you hold ${loadWords(operator)}. Resolve a thread or hand one back, then take the next.`;
}
