// Screens, inbox: who else works here, the queues and the macros: loaded once, and again when the feed says that they changed.

/** @typedef {import("./state.js").State} State */

/** @param {{state: State, changed: () => void, api: import("./loading.js").Api}} desk */
export function createTeam({ state, changed, api }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function load() {
    const { team } = state;
    try {
      const [operators, queues, macros] = await Promise.all([all("/api/operators"), api.get("/api/queues"), all("/api/macros")]);
      Object.assign(team, { operators, queues: queues.items, macros, loaded: true, error: "" });
    } catch (error) {
      team.error = /** @type {any} */ (error).message;
    }
    changed();
  }

  /** @param {string} path @returns {Promise<any[]>} */
  async function all(path) {
    const items = [];
    let cursor = null;
    do {
      const page = await api.get(path, { limit: 200, cursor });
      items.push(...page.items);
      cursor = page.cursor;
    } while (cursor);
    return items;
  }

  /** A burst of events asks once. */
  function soon() {
    if (timer !== undefined || !state.team.loaded) return;
    timer = setTimeout(() => {
      timer = undefined;
      void load();
    }, 400);
  }

  /** @param {string} type of an event */
  function heard(type) {
    if (type === "operator.changed" || type === "queue.changed") soon();
  }

  return { load, heard };
}
