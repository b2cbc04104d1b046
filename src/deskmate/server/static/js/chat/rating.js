// Screens, chat: what the visitor thinks of an answer of the AI: a thumb up or down, which they may turn round.

import { h } from "../core/dom.js";
import { iconButton } from "../core/parts.js";

/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {"up" | "down"} Thumb */

/**
 * @param {{state: import("./state.js").State, changed: () => void, thread: () => string | null,
 *   api: ReturnType<typeof import("../core/api.js").createApi>}} chat
 */
export function createRatings({ state, changed, thread, api }) {
  const path = () => `/api/threads/${encodeURIComponent(thread() ?? "")}`;

  /** What they have said before. */
  async function load() {
    const of = thread();
    if (!of) return;
    try {
      const { items } = await api.get(`${path()}/ratings`);
      if (thread() !== of) return;
      for (const one of items) if (one.message) state.ratings.set(one.message, one.rating);
      changed();
    } catch {
      // Nothing is marked then; rating works all the same.
    }
  }

  /** @param {string} message @param {Thumb} rating */
  async function rate(message, rating) {
    const before = state.ratings.get(message);
    if (before === rating) return;
    state.ratings.set(message, rating);
    state.notice = "";
    changed();
    try {
      await api.post(`${path()}/rating`, { rating, message });
    } catch {
      // Where they have turned it round meanwhile, that stands.
      if (state.ratings.get(message) === rating) {
        if (before) state.ratings.set(message, before);
        else state.ratings.delete(message);
      }
      state.notice = "Your rating did not arrive. Try again in a moment.";
      changed();
    }
  }

  /** The thumbs under an answer of the AI that is whole. @param {Message} message */
  function view(message) {
    if (message.author.kind !== "agent" || message.status !== "success" || !message.text) return null;
    const given = state.ratings.get(message.id);
    const thumb = (/** @type {Thumb} */ rating, /** @type {string} */ label) =>
      iconButton(label, "thumb", () => void rate(message.id, rating), {
        look: "plain small",
        class: `thumb thumb--${rating}`,
        props: { "aria-pressed": given === rating ? "true" : "false" },
      });
    return h(
      "div",
      { class: "thumbs", role: "group", "aria-label": "Was this answer helpful?" },
      thumb("up", "Helpful"),
      thumb("down", "Not helpful"),
    );
  }

  return { load, view, of: (/** @type {string} */ message) => state.ratings.get(message) };
}
