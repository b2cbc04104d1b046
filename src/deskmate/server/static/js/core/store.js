// Screens, core: one state and one drawing per frame.

/**
 * @template S
 * @param {S} state changed in place by those who hold the store, who then call `changed`
 * @param {(state: S) => void} draw
 * @returns {{state: S, changed: () => void, flush: () => void}}
 */
export function createStore(state, draw) {
  let asked = false;
  const run = () => {
    if (!asked) return;
    asked = false;
    draw(state);
  };
  const changed = () => {
    if (asked) return;
    asked = true;
    // A hidden page gets no frames, but its title still has to tell what waits.
    if (document.hidden) setTimeout(run, 200);
    else requestAnimationFrame(run);
  };
  document.addEventListener("visibilitychange", run);
  return { state, changed, flush: run };
}

/**
 * Read and write what this browser remembers. Storage may be full or forbidden; then nothing is remembered.
 * @param {string} name
 */
export function remembered(name) {
  return {
    /** @returns {any} */
    get() {
      try {
        return JSON.parse(localStorage.getItem(name) ?? "null");
      } catch {
        return null;
      }
    },
    /** @param {unknown} value */
    set(value) {
      try {
        if (value === null) localStorage.removeItem(name);
        else localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Nothing to do: the page works without it.
      }
    },
  };
}
