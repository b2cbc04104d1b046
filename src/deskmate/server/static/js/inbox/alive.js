// Screens, inbox: signs of life of the person at the desk, so that work is not given to an empty chair.

const EVERY = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"];

/**
 * What a person does is told at most once a minute, and at once when the clock has sent them away.
 * @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api}} desk
 */
export function createAlive({ state, changed, api }) {
  let told = 0;
  let telling = false;

  async function tell() {
    if (state.phase !== "ready" || document.hidden || telling) return;
    const away = state.sentAway && !state.sentAway.back;
    if (!away && Date.now() - told < EVERY) return;
    telling = true;
    try {
      const me = await api.post("/api/me/heartbeat");
      if (state.me) state.me = { ...state.me, ...me };
      if (state.sentAway && me.presence === "available") state.sentAway.back = Date.now();
      changed();
    } catch {
      // The banner says that the desk cannot be reached; the next thing that is done tries again in a minute.
    }
    told = Date.now();
    telling = false;
  }

  for (const sign of SIGNS) addEventListener(sign, (event) => event.isTrusted && void tell(), { capture: true, passive: true });
}

/** The clock sends away whoever has done nothing for long. @param {import("./state.js").State} state @param {import("../core/feed.js").FeedEvent} event */
export function takePresence(state, event) {
  const { operator, presence } = event.data ?? {};
  if (event.type !== "operator.changed" || !presence) return;
  const { team } = state.around;
  team.items = team.items.map((one) => (one.id === operator ? { ...one, presence } : one));
  if (operator !== state.me?.id || !state.me) return;
  state.me = { ...state.me, presence };
  if (presence === "away" && event.actor?.kind === "system") state.sentAway = { since: Date.parse(event.at), back: null };
  else if (presence === "available" && state.sentAway) state.sentAway.back ??= Date.parse(event.at);
  else state.sentAway = null;
}
