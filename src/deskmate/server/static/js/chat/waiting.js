// Screens, chat: what somebody who waits for a person is told: their place in line, how long, or when people are back.

import { h } from "../core/dom.js";
import { ms, roughly, sameDay } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { personName } from "./state.js";

/** @typedef {import("./main.js").Chat} Chat */

const MINUTE = 60_000;
const dayFormat = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const dateFormat = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "2-digit" });

/**
 * Asks how the line stands when the thread changes hands, and once a minute while it waits.
 * @param {{state: import("./state.js").State, changed: () => void, get: (path: string) => Promise<any>}} chat
 */
export function createLine({ state, changed, get }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function ask() {
    clearTimeout(timer);
    const { thread } = state;
    if (!thread || thread.assignment.to !== "queue" || thread.status === "resolved") {
      state.line = null;
      return changed();
    }
    try {
      const line = await get(`/api/threads/${encodeURIComponent(thread.id)}/wait`);
      if (state.thread?.id === thread.id && state.thread.assignment.to === "queue") state.line = line;
    } catch {
      // What was told last stands until the next minute.
    }
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), MINUTE);
    changed();
  }

  return { ask };
}

/** "You are number 2 in line, about 4 minutes" @param {import("./state.js").Line | null} line @param {number} now */
export function lineWords(line, now) {
  if (!line) return "";
  if (line.opens_at && ms(line.opens_at) > now)
    return `We are back ${dayOf(ms(line.opens_at), now)}, ${clockFormat.format(ms(line.opens_at))}`;
  const seconds = line.expected_wait_seconds;
  const about = typeof seconds === "number" ? `about ${minutes(seconds)}` : "";
  if (!line.position) return about && `The wait is ${about}`;
  const place = line.position === 1 ? "You are next in line" : `You are number ${line.position} in line`;
  return [place, about].filter(Boolean).join(", ");
}

/** @param {number} seconds */
function minutes(seconds) {
  const count = Math.max(1, Math.round(seconds / 60));
  if (count < 60) return `${count} minute${count === 1 ? "" : "s"}`;
  const hours = Math.round(count / 60);
  return `${hours} hour${hours === 1 ? "" : "s"}`;
}

/** @param {number} at @param {number} now */
function dayOf(at, now) {
  if (sameDay(at, now)) return "today";
  if (sameDay(at, now + 24 * 60 * MINUTE)) return "tomorrow";
  return `on ${(at - now < 6 * 24 * 60 * MINUTE ? dayFormat : dateFormat).format(at)}`;
}

/** @param {Chat} chat */
export function waiting({ state }) {
  const since = ms(state.thread?.waiting_since);
  const person = personName(state);
  const long = !Number.isNaN(since) && state.now - since > 60_000 ? ` You have waited ${roughly(state.now - since)}.` : "";
  const place = person ? "" : lineWords(state.line, state.now);
  return h(
    "section",
    { class: "waiting", id: "waiting", role: "status", "aria-label": "Waiting for a person", key: "waiting" },
    h(
      "span",
      { class: "avatars", "aria-hidden": "true" },
      person
        ? avatar("operator", state.thread?.assignment.name)
        : h("span", { class: "avatar avatar--operator" }, icon(state.line?.opens_at ? "clock" : "team")),
    ),
    h("strong", null, person ? `${person} has your message` : place || "A person looks at this"),
    h("p", null, `You can write more or close this page; the answer shows up here.${long}`),
  );
}
