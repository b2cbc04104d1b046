// Screens, inbox: threads that were picked, and the same done to all of them. Each is answered for by itself.

import { ms } from "../core/format.js";
import { takeThread } from "./incoming.js";
import { noticeOf } from "./notices.js";
import { customerName } from "./state.js";

/** The most that is done at once. */
export const MOST = 200;

/** @typedef {import("./state.js").State} State */
/** @typedef {ReturnType<typeof createBulk>} Bulk */

/**
 * @param {{state: State, changed: () => void, api: import("./loading.js").Api, load: ReturnType<typeof import("./loading.js").createLoading>,
 *   focus: (what: string) => void}} desk
 */
export function createBulk({ state, changed, api, load, focus }) {
  /** @param {string} id @param {boolean} on */
  function set(id, on) {
    if (on && state.picked.ids.size < MOST) state.picked.ids.add(id);
    else state.picked.ids.delete(id);
    state.picked.refused.delete(id);
    Object.assign(state.picked, { said: "", error: "" });
  }

  return {
    /** @param {string} id @param {{on?: boolean, range?: boolean}} [how] `range`: with all between it and the one picked before */
    pick(id, { on = !state.picked.ids.has(id), range = false } = {}) {
      const { ids } = state.list;
      const [from, to] = [ids.indexOf(state.picked.anchor ?? ""), ids.indexOf(id)];
      if (range && from >= 0 && to >= 0) for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, on);
      else set(id, on);
      state.picked.anchor = id;
      changed();
    },
    pickAll() {
      const all = shownPicked(state).length < Math.min(MOST, state.list.ids.length);
      for (const id of state.list.ids) set(id, all);
      changed();
    },
    /** @param {{keepFocus?: boolean}} [how] */
    clear({ keepFocus = false } = {}) {
      const last = state.picked.anchor;
      state.picked.ids.clear();
      state.picked.refused.clear();
      Object.assign(state.picked, { anchor: null, showing: false, panel: "", said: "", error: "" });
      changed();
      if (!keepFocus) focus(last ? `row:${last}` : "list");
    },
    /** On a screen without a pointer nothing hovers: boxes come by a button. */
    show() {
      state.picked.showing = true;
      changed();
    },
    /** @param {State["picked"]["panel"]} panel */
    panel(panel) {
      state.picked.panel = state.picked.panel === panel ? "" : panel;
      state.picked.error = "";
      changed();
      focus(state.picked.panel ? "bulk-field" : `bulk-${panel}`);
    },
    /**
     * Do this to what is state.picked, or to these threads. Those it is refused for stay state.picked, and say why.
     * @param {Record<string, any>} body @param {string} done what was done, in the past: "resolved" @param {string[]} [threads]
     */
    async act(body, done, threads) {
      const ids = threads ?? shownPicked(state);
      if (!ids.length || state.picked.busy) return;
      // Where to go on: behind the last of them, for they may leave the list.
      const rest = state.list.ids.filter((id) => !ids.includes(id));
      const last = state.list.ids.findLastIndex((id) => ids.includes(id));
      const after = state.list.ids.slice(last).find((id) => rest.includes(id)) ?? rest.at(-1) ?? ids[0];
      Object.assign(state.picked, { busy: true, error: "", said: "" });
      changed();
      try {
        const { items } = await api.post("/api/threads/actions", { threads: ids, ...body });
        const refused = items.filter((/** @type {any} */ one) => one.error);
        for (const { thread, error } of items) {
          if (error) continue;
          takeThread(state, thread);
          state.picked.ids.delete(thread.id);
          state.picked.refused.delete(thread.id);
        }
        for (const { thread, error } of refused) {
          state.picked.ids.add(thread);
          state.picked.refused.set(thread, noticeOf({ ...error, message: error.detail, facts: error }));
        }
        state.picked.said = summary(items.length - refused.length, refused, done, state);
        state.picked.panel = "";
        // Words that were refused are there for another try.
        if (!refused.length) state.picked.typed = { search: "", until: "", add: "", remove: "", note: "" };
        if (!state.picked.ids.size) state.picked.showing = false;
        focus(refused.length ? "bulk-said" : `row:${after}`);
        load.refreshSoon();
      } catch (error) {
        state.picked.error = noticeOf(error);
      }
      state.picked.busy = false;
      changed();
    },
  };
}

/** @param {number} count @param {any[]} refused @param {string} done @param {State} state */
function summary(count, refused, done, state) {
  const good = count ? `${count === 1 ? "One thread" : `${count} threads`} ${done}.` : "";
  if (!refused.length) return good;
  const names = refused.slice(0, 3).map((one) => {
    const thread = state.threads.get(one.thread);
    return thread ? customerName(thread) : one.thread;
  });
  const rest = refused.length > 3 ? ` and ${refused.length - 3} more` : "";
  return `${good} Refused for ${names.join(", ")}${rest}: they stay selected, and say why.`.trim();
}

/** What is picked and can be seen: nothing is done to a thread that has left the list. @param {State} state */
export function shownPicked(state) {
  return state.list.ids.filter((id) => state.picked.ids.has(id));
}

/** When a snooze may end, as people say it. @param {number} now @returns {[string, number][]} */
export function snoozeTimes(now) {
  const at = (/** @type {number} */ days, /** @type {number} */ hour) => {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    day.setHours(hour, 0, 0, 0);
    return ms(day.getTime());
  };
  const monday = (8 - new Date(now).getDay()) % 7 || 7;
  return [
    ["For an hour", now + 3_600_000],
    ["For three hours", now + 3 * 3_600_000],
    ["Until tomorrow, 09:00", at(1, 9)],
    ["Until Monday, 09:00", at(monday, 9)],
  ];
}
