// Screens, inbox: opens a thread at a place in it: where it is worked on, at a request, or at a message further up.

import { conversationOf } from "./state.js";

/** Pages that are loaded to find a message. */
const ROUNDS = 20;

/**
 * @param {{state: import("./state.js").State, load: ReturnType<typeof import("./loading.js").createLoading>,
 *   go: (view: Partial<import("./state.js").View>) => void, again: (thread: string) => unknown,
 *   desk: () => import("./main.js").Desk}} parts `again`: a thread that is shown already is looked at anew
 */
export function createArriving({ state, load, go, again, desk }) {
  return {
    /** @param {string} thread @param {string} what `work`, `ask:ID` or `message:ID` */
    open(thread, what) {
      const shown = state.view.thread === thread;
      state.arriving = { thread, what };
      if (shown) void again(thread);
      else go({ thread });
    },
    /** The thread is there: go where one wanted to. @param {string} thread */
    async arrive(thread) {
      const { arriving } = state;
      if (arriving?.thread !== thread) return;
      state.arriving = null;
      const [kind, id] = arriving.what.split(":");
      const request = kind === "ask" ? id : state.focusCard;
      if (kind === "message") await at(thread, id);
      else if (request) desk().focusOn(request);
      else desk().write("reply");
    },
  };

  /** @param {string} thread @param {string} message */
  async function at(thread, message) {
    const conversation = conversationOf(state, thread);
    for (let round = 0; round < ROUNDS && !conversation.messages.has(message) && conversation.cursor; round++) {
      await load.older(thread);
    }
    desk().changed();
    desk().flush();
    desk().show(`message-${message}`);
    const note = document.getElementById(`message-${message}`);
    if (note) note.tabIndex = -1;
    note?.focus({ preventScroll: true });
  }
}
