// Screens, inbox: fetches lists, threads and their history into the state. Answers to outdated questions are dropped.

import { activityOfChange } from "./activity.js";
import { takeMessage, takeRequest, takeThread } from "./incoming.js";
import { conversationOf } from "./state.js";

const PAGE = 50;
const REFRESH_EVERY = 1500;
const ROUNDS = 5;

/** @typedef {import("./state.js").State} State */
/** @typedef {ReturnType<typeof import("../core/api.js").createApi>} Api */

/** @param {{state: State, changed: () => void, api: Api}} desk */
export function createLoading({ state, changed, api }) {
  let asked = 0;
  let refreshed = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {number} limit */
  const listQuery = (limit) => {
    const { thread: _, ...filters } = state.view;
    return { ...filters, limit };
  };

  /** Load the list from its start. `quiet` keeps what is shown until the answer is here. @param {{quiet?: boolean}} [options] */
  async function list({ quiet = false } = {}) {
    const mine = ++asked;
    const { list } = state;
    if (!quiet) Object.assign(list, { ids: [], cursor: null, loaded: false });
    Object.assign(list, { loading: true, error: quiet ? list.error : null });
    changed();
    try {
      const limit = quiet ? Math.min(200, Math.max(PAGE, list.ids.length)) : PAGE;
      const page = await api.get("/api/threads", listQuery(limit));
      // A search may have looked at all it may look at before the page was full.
      for (let round = 0; page.cursor && page.items.length < PAGE && round < ROUNDS && mine === asked; round++) {
        const next = await api.get("/api/threads", { ...listQuery(limit), cursor: page.cursor });
        page.items.push(...next.items);
        page.cursor = next.cursor;
      }
      if (mine !== asked) return;
      page.items.forEach((/** @type {any} */ thread) => takeThread(state, thread));
      const ids = page.items.map((/** @type {any} */ thread) => thread.id);
      const rest = list.ids.length > limit ? list.ids.slice(limit).filter((id) => !ids.includes(id)) : [];
      Object.assign(list, { ids: [...ids, ...rest], cursor: rest.length ? list.cursor : page.cursor, loaded: true, error: null });
      state.counts = page.counts ?? state.counts;
    } catch (error) {
      if (mine === asked && !(quiet && list.loaded)) list.error = /** @type {any} */ (error);
    } finally {
      if (mine === asked) list.loading = false;
      changed();
    }
  }

  async function more() {
    const { list } = state;
    if (!list.cursor || list.loading) return;
    const mine = ++asked;
    list.loading = true;
    changed();
    try {
      const page = await api.get("/api/threads", { ...listQuery(PAGE), cursor: list.cursor });
      if (mine !== asked) return;
      page.items.forEach((/** @type {any} */ thread) => takeThread(state, thread));
      const news = page.items
        .map((/** @type {any} */ thread) => thread.id)
        .filter((/** @type {string} */ id) => !list.ids.includes(id));
      Object.assign(list, { ids: [...list.ids, ...news], cursor: page.cursor });
    } catch {
      // The rows stay; scrolling on asks again.
    } finally {
      if (mine === asked) list.loading = false;
      changed();
    }
  }

  /** Counts, order and membership come from the server; a burst of events asks once. */
  function refreshSoon() {
    if (timer !== undefined) return;
    const wait = Math.max(150, refreshed + REFRESH_EVERY - Date.now());
    timer = setTimeout(() => {
      timer = undefined;
      refreshed = Date.now();
      void list({ quiet: true });
    }, wait);
  }

  /** One thread, its newest messages and its requests. @param {string} id @param {{quiet?: boolean}} [options] */
  async function thread(id, { quiet = false } = {}) {
    const conversation = conversationOf(state, id);
    if (conversation.loading) return;
    Object.assign(conversation, { loading: true, error: null });
    if (!quiet) changed();
    try {
      const path = `/api/threads/${encodeURIComponent(id)}`;
      const [record, page, requests, assignments] = await Promise.all([
        api.get(path),
        api.get(`${path}/messages`, { limit: PAGE }),
        api.get(`${path}/requests`),
        api.get(`${path}/assignments`),
      ]);
      takeThread(state, record);
      page.items.forEach((/** @type {any} */ message) => takeMessage(state, message));
      requests.items.forEach((/** @type {any} */ request) => takeRequest(state, request));
      for (const change of assignments.items) {
        const activity = activityOfChange(state, change);
        if (activity) conversation.activity.set(activity.key, activity);
      }
      Object.assign(conversation, { changes: assignments.items, tags: [...(record.tags ?? [])] });
      void around(id, record.customer);
      if (record.route) void routes(id);
      if (!conversation.loaded) conversation.cursor = page.cursor;
      void usage(id);
      void ratings(id);
      conversation.loaded = true;
    } catch (error) {
      conversation.error = /** @type {any} */ (error);
    } finally {
      conversation.loading = false;
      changed();
    }
  }

  /** The thread itself, where its clock has moved. @param {string} id */
  async function record(id) {
    try {
      takeThread(state, await api.get(`/api/threads/${encodeURIComponent(id)}`));
      changed();
    } catch {
      // The countdown goes on by what was known.
    }
  }

  /** What the thread has cost so far; of no great weight when it does not come. @param {string} id */
  async function usage(id) {
    try {
      conversationOf(state, id).usage = (await api.get(`/api/threads/${encodeURIComponent(id)}/usage`)).items;
      changed();
    } catch {
      // The panel is left out.
    }
  }

  /** What was said of the answers; they stand without it where it does not come. @param {string} id */
  async function ratings(id) {
    try {
      conversationOf(state, id).ratings = (await api.get(`/api/threads/${encodeURIComponent(id)}/ratings`)).items;
      changed();
    } catch {
      // The answers stand alone.
    }
  }

  /** Who was chosen for it and why, and what else its customer has asked; the panels are left out where it does not come.
   * @param {string} id @param {string | null} customer */
  async function around(id, customer) {
    const conversation = conversationOf(state, id);
    await Promise.allSettled([
      choices(id),
      customer &&
        api.get("/api/threads", { customer, status: "all", limit: 20 }).then((page) => {
          conversation.earlier = page.items.filter((/** @type {any} */ one) => one.id !== id);
        }),
    ]);
    changed();
  }

  /** @param {string} id */
  async function choices(id) {
    const page = await api.get(`/api/threads/${encodeURIComponent(id)}/choices`);
    conversationOf(state, id).choices = page.items;
    changed();
  }

  /** Who was to respond, and why; where it does not come, the thread says it of the last time. @param {string} id */
  async function routes(id) {
    try {
      conversationOf(state, id).routes = (await api.get(`/api/threads/${encodeURIComponent(id)}/routes`, { limit: 20 })).items;
      changed();
    } catch {
      // The panel shows what came with the thread.
    }
  }

  /** @param {string} id */
  async function older(id) {
    const conversation = conversationOf(state, id);
    if (!conversation.cursor || conversation.loadingOlder) return;
    conversation.loadingOlder = true;
    changed();
    try {
      const page = await api.get(`/api/threads/${encodeURIComponent(id)}/messages`, { limit: PAGE, before: conversation.cursor });
      page.items.forEach((/** @type {any} */ message) => takeMessage(state, message));
      conversation.cursor = page.cursor;
    } catch {
      // The button stays, and scrolling up asks again.
    } finally {
      conversation.loadingOlder = false;
      changed();
    }
  }

  /** What waits for people anywhere, and for me, for the title. */
  async function waiting() {
    try {
      const [requests, mine] = await Promise.all([
        api.get("/api/requests", { state: "open", limit: 200 }),
        api.get("/api/threads", { assignment: "mine", sort: "waiting", limit: 100 }),
      ]);
      mine.items.forEach((/** @type {any} */ one) => takeThread(state, one));
      requests.items.forEach((/** @type {any} */ one) => takeRequest(state, one));
      changed();
    } catch {
      // The list tells most of it.
    }
  }

  /** @param {string} id @returns {Promise<any>} */
  async function request(id) {
    const found = await api.get(`/api/requests/${encodeURIComponent(id)}`);
    takeRequest(state, found);
    changed();
    return found;
  }

  return { list, more, refreshSoon, thread, record, usage, ratings, choices, routes, older, waiting, request };
}
