// Screens, inbox: word of what happens while the eyes are elsewhere: a sound and a notification of the browser, for each kind.

import { remembered } from "../core/store.js";
import { customerName, subjectOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {"assigned" | "message" | "request" | "mention"} Kind */
/** @typedef {"sound" | "browser"} Way */

/** @type {Record<Kind, string>} */
export const KINDS = {
  assigned: "A thread is given to me",
  message: "A customer writes on my thread",
  request: "Somebody is asked for",
  mention: "A note calls on me",
};
/** How high each kind sounds, in Hz. @type {Record<Kind, number>} */
const PITCHES = { assigned: 660, message: 520, request: 780, mention: 880 };
const FRESH = 30_000; // ms; what was missed meanwhile is on the screen, and makes no noise

/** @param {{state: State, changed: () => void, open: (thread: string) => void}} desk */
export function createNotifying({ state, changed, open }) {
  const memory = remembered("deskmate.notifying");
  /** @type {Set<string>} */
  const chosen = new Set(memory.get() ?? []);
  /** @type {AudioContext | undefined} */
  let audio;
  let refused = false;

  /** @param {Kind} kind @param {Way} way */
  const wants = (kind, way) => chosen.has(`${kind}:${way}`);

  /** @param {Kind} kind @param {Way} way @param {boolean} on */
  async function choose(kind, way, on) {
    if (on && way === "browser") {
      const permission = "Notification" in window ? await Notification.requestPermission() : "denied";
      refused = permission !== "granted";
      if (refused) return changed();
    }
    if (on) chosen.add(`${kind}:${way}`);
    else chosen.delete(`${kind}:${way}`);
    memory.set([...chosen]);
    if (on && way === "sound") sound(kind);
    changed();
  }

  /** A short tone. A browser plays none before the first click or key. @param {Kind} kind */
  function sound(kind) {
    audio ??= new AudioContext();
    const [tone, volume, now] = [audio.createOscillator(), audio.createGain(), audio.currentTime];
    tone.frequency.value = PITCHES[kind];
    volume.gain.setValueAtTime(0.12, now);
    volume.gain.exponentialRampToValueAtTime(0.001, now + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start(now);
    tone.stop(now + 0.35);
  }

  /** @param {Kind} kind @param {string} thread @param {string} body */
  function show(kind, thread, body) {
    const shown = new Notification(KINDS[kind], { body, tag: `${kind}:${thread}` });
    shown.onclick = () => {
      window.focus();
      open(thread);
      shown.close();
    };
  }

  /** What an event is to this operator; nobody is told of what they did themselves. @param {import("../core/feed.js").FeedEvent} event */
  function kindOf({ type, actor, data, thread }) {
    const { me } = state;
    if (!me || !thread || actor?.id === me.id) return null;
    if (type === "thread.assigned" && data?.to?.id === me.id) return "assigned";
    if (type === "request.opened") return "request";
    if (type !== "message.posted") return null;
    if (data?.mentions?.includes(me.id)) return "mention";
    const mine = state.threads.get(thread)?.assignment.id === me.id;
    return mine && data?.message?.author?.kind === "customer" ? "message" : null;
  }

  /** @param {import("../core/feed.js").FeedEvent} event */
  function hear(event) {
    const kind = kindOf(event);
    if (!kind || !event.thread || Date.now() - Date.parse(event.at) > FRESH) return;
    if (wants(kind, "sound")) sound(kind);
    const before = !document.hidden && document.hasFocus() && state.view.thread === event.thread;
    if (!before && wants(kind, "browser") && "Notification" in window && Notification.permission === "granted") {
      show(kind, event.thread, wordsOf(event));
    }
  }

  /** @param {import("../core/feed.js").FeedEvent} event */
  function wordsOf({ thread, data }) {
    const found = state.threads.get(thread ?? "");
    const said = data?.message?.text || data?.request?.question || data?.request?.reason || data?.reason || "";
    const about = found ? `${customerName(found)}, ${subjectOf(state, found)}` : "";
    return [about, said.slice(0, 140)].filter(Boolean).join("\n");
  }

  return { wants, choose, hear, refused: () => refused };
}
