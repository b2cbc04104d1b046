// Screens, inbox: what stands around the threads: queues, saved views, the team, mentions of me, macros. Each loads, and fails, by itself.

import { chosen, filtersOf, filterKey } from "./url.js";

const REFRESH_EVERY = 2000;
const MOST = 200;
const NEWEST = 30;

/** @typedef {import("./state.js").State} State */
/** @typedef {"queues" | "views" | "team" | "mentions" | "notices" | "macros"} Name */

const PATHS = {
  queues: "/api/queues",
  views: "/api/views",
  team: "/api/operators",
  mentions: "/api/me/mentions",
  notices: "/api/notifications",
  macros: "/api/macros",
};

/** @param {{state: State, changed: () => void, api: import("./loading.js").Api}} desk */
export function createAround({ state, changed, api }) {
  /** @type {Set<Name>} */
  const due = new Set();
  let refreshed = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** What is there stays when it cannot be loaded anew. @param {Name} name */
  async function load(name) {
    const part = state.around[name];
    if (name === "notices" && state.around.notices.absent) return;
    const newest = name === "mentions" || name === "notices";
    if (part.error) {
      part.error = null;
      changed();
    }
    try {
      const page = await api.get(PATHS[name], name === "queues" ? {} : { limit: newest ? NEWEST : MOST });
      // Of mentions and notices the newest are enough; of all else everything is meant.
      while (page.cursor && !newest) {
        const next = await api.get(PATHS[name], { limit: MOST, cursor: page.cursor });
        page.items.push(...next.items);
        page.cursor = next.cursor;
      }
      Object.assign(part, { items: page.items, loaded: true, error: null });
      if (name === "mentions" || name === "notices") state.around[name].unread = page.unread;
      if (name === "team") takeMe(page.items);
    } catch (error) {
      if (name === "notices" && /** @type {any} */ (error).status === 404) state.around.notices.absent = true;
      else if (!part.loaded) part.error = /** @type {any} */ (error);
    }
    changed();
  }

  /** @param {import("../core/types.js").Operator[]} team */
  function takeMe(team) {
    const mine = team.find((one) => one.id === state.me?.id);
    if (mine && state.me) state.me = { ...state.me, load: mine.load, capacity: mine.capacity, presence: mine.presence };
  }

  function all() {
    void load("queues");
    void load("views");
    void load("team");
    void load("mentions");
    void load("notices");
    void load("macros");
  }

  /** A burst of events asks once for what it may have changed. @param {import("../core/feed.js").FeedEvent} event */
  function follow(event) {
    const { type, data } = event;
    const [noun] = type.split(".");
    if (type === "message.posted") {
      if (data?.mentions?.includes(state.me?.id)) soon("mentions");
      return;
    }
    // Word to a colleague is theirs.
    if (type === "notification.sent" && data?.operator === state.me?.id) soon("notices");
    if (type === "operator.changed") soon("team");
    if (type === "queue.changed" || noun === "thread" || noun === "request") soon("queues");
    if (type === "thread.assigned" || (noun === "thread" && data?.changed?.includes("status")) || noun === "request") soon("team");
  }

  /** @param {Name} name */
  function soon(name) {
    due.add(name);
    timer ??= setTimeout(
      () => {
        timer = undefined;
        refreshed = Date.now();
        for (const one of due) void load(one);
        due.clear();
      },
      Math.max(150, refreshed + REFRESH_EVERY - Date.now()),
    );
  }

  /** One verb on a saved view; what it is refused with stands beside what was typed. @param {() => Promise<unknown>} work */
  async function naming(work) {
    const { naming } = state.around;
    if (naming.busy) return;
    Object.assign(naming, { busy: true, error: "" });
    changed();
    try {
      await work();
      Object.assign(naming, { id: "", name: "", shared: false, again: false });
      await load("views");
    } catch (error) {
      naming.error = /** @type {any} */ (error).message;
    }
    naming.busy = false;
    changed();
  }

  return {
    load,
    all,
    follow,
    saveView: () =>
      naming(() => {
        const { name, shared } = state.around.naming;
        return api.post("/api/views", { name: name.trim(), filters: filtersNow(state), shared });
      }),
    /** @param {import("../core/types.js").SavedView} view */
    changeView: (view) =>
      naming(() => {
        const { name, shared, again } = state.around.naming;
        const filters = again ? { filters: filtersNow(state) } : {};
        return api.patch(`/api/views/${encodeURIComponent(view.id)}`, { name: name.trim(), shared, ...filters });
      }),
    /** @param {import("../core/types.js").SavedView} view */
    deleteView: (view) => naming(() => api.delete(`/api/views/${encodeURIComponent(view.id)}`)),
    /** @param {string[] | null} ids null: all of them */
    readMentions: (ids) => readOf("mentions", ids),
    /** @param {string[] | null} ids null: all of them */
    readNotices: (ids) => readOf("notices", ids),
  };

  /** Shown at once, and taken back when the server says no. @param {"mentions" | "notices"} name @param {string[] | null} ids */
  async function readOf(name, ids) {
    const part = /** @type {{items: {id: string, read_at?: any}[], unread: number}} */ (state.around[name]);
    const before = part.items;
    part.items = before.map((one) => (!ids || ids.includes(one.id) ? { ...one, read_at: one.read_at ?? new Date() } : one));
    changed();
    try {
      const body = name === "mentions" ? { mentions: ids } : { notifications: ids };
      part.unread = (await api.post(`${PATHS[name]}/read`, ids ? body : {})).unread;
    } catch (error) {
      part.items = before;
      state.notice = /** @type {any} */ (error).message;
    }
    changed();
  }
}

/** The order is always named: the server has another one where nothing is said. @param {State} state */
function filtersNow(state) {
  return { ...chosen(state.view), sort: state.view.sort };
}

/** The saved view that is shown, if one is. @param {State} state */
export function viewShown(state) {
  const key = filterKey(state.view);
  return state.around.views.items.find((view) => filterKey(filtersOf(view.filters)) === key) ?? null;
}

/** Whether this operator may share views, and change shared ones. @param {State} state */
export function leads(state) {
  return state.me?.role === "lead" || state.me?.role === "admin";
}

/** "2.3 of 6" @param {{load?: number, capacity?: number}} operator */
export function loadWords({ load = 0, capacity = 0 }) {
  return `${Math.round(load * 10) / 10} of ${capacity}`;
}
