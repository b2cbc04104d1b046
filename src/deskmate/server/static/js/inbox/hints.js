// Screens, inbox: what the composer offers while one writes: canned replies behind a slash, colleagues behind an @ in a note.

import { h } from "../core/dom.js";
import { shorten } from "../core/format.js";
import { avatar } from "../core/parts.js";
import { noticeOf } from "./notices.js";

/** @typedef {{key: string, name: string, about: string, text: string, view: any}} Hint `text` is put in */
/** @typedef {{kind: "canned" | "mention", thread: string, from: number, to: number, q: string, at: number, hints: Hint[], loading: boolean,
 *   error: string, wanted: boolean}} Hints `from` and `to` are places in the text; `wanted`: Enter was pressed before the answer came */

const CANNED = /(?:^|\s)\/([\w-]{0,40})$/;
const MENTION = /(?:^|[^\w@.+-])@([^@\n]{0,40})$/;
const PAUSE = 120;
const MOST = 8;

/** @param {{state: import("./state.js").State, changed: () => void, api: import("./loading.js").Api}} desk */
export function createHints({ state, changed, api }) {
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** What stands before the caret may begin something. @param {HTMLTextAreaElement} el @param {string} thread @param {boolean} note */
  function look(el, thread, note) {
    const before = el.selectionStart === el.selectionEnd ? el.value.slice(0, el.selectionStart) : "";
    const canned = before.match(CANNED);
    if (canned) return open("canned", thread, el.selectionStart, canned[1]);
    const mention = note && before.match(MENTION);
    if (mention) return open("mention", thread, el.selectionStart, mention[1]);
    close();
  }

  /** @param {Hints["kind"]} kind @param {string} thread @param {number} to @param {string} q */
  function open(kind, thread, to, q) {
    const was = state.hints;
    if (was?.kind === kind && was.q === q && was.to === to && was.thread === thread) return;
    const same = was?.kind === kind && was.thread === thread;
    state.hints = {
      kind,
      thread,
      from: to - q.length - 1,
      to,
      q,
      at: 0,
      hints: same ? was.hints : [],
      loading: kind === "canned",
      error: "",
      wanted: false,
    };
    if (kind === "mention") {
      state.hints.hints = colleagues(q);
      if (!state.hints.hints.length) state.hints = null;
    } else {
      const mine = ++asked;
      clearTimeout(timer);
      timer = setTimeout(() => void canned(mine, thread, q), same ? PAUSE : 0);
    }
    changed();
  }

  /** @param {number} mine @param {string} thread @param {string} q */
  async function canned(mine, thread, q) {
    let hints = /** @type {Hint[]} */ ([]);
    let error = "";
    try {
      const page = await api.get("/api/canned", { q, thread, limit: MOST });
      hints = page.items.map((/** @type {any} */ one) => ({
        key: one.id,
        name: `/${one.shortcut}`,
        about: one.title,
        text: one.filled ?? one.text,
        view: h("span", { class: "truncate quiet" }, shorten(one.filled ?? one.text, 90)),
      }));
    } catch (problem) {
      error = noticeOf(problem);
    }
    if (mine !== asked || state.hints?.kind !== "canned") return;
    const { wanted } = state.hints;
    Object.assign(state.hints, { hints, error, loading: false, at: 0, wanted: false });
    if (wanted) take(hints[0]);
    changed();
  }

  /** @param {string} q @returns {Hint[]} */
  function colleagues(q) {
    const typed = q.toLowerCase();
    const fits = (/** @type {string} */ name) => {
      const low = name.toLowerCase();
      return low.startsWith(typed) || (!/\s/.test(typed) && low.split(/\s+/).some((word) => word.startsWith(typed)));
    };
    const named = state.around.team.items.filter((one) => one.id !== state.me?.id && fits(one.name));
    const twins = new Set(
      state.around.team.items.filter((a) => state.around.team.items.some((b) => a !== b && a.name === b.name)).map((one) => one.id),
    );
    const people = named.map((one) => ({
      key: one.id,
      name: one.name,
      about: one.presence,
      text: twins.has(one.id) ? `@{${one.id}} ` : `@${one.name} `,
      view: avatar("operator", one.name, { size: "small", presence: one.presence }),
    }));
    const ai = fits("ai")
      ? [{ key: "ai", name: "ai", about: "answers with a note", text: "@ai ", view: avatar("agent", "AI", { size: "small" }) }]
      : [];
    return [...ai, ...people].slice(0, MOST);
  }

  function close() {
    if (!state.hints) return;
    asked += 1;
    state.hints = null;
    changed();
  }

  /** @param {Hint | undefined} hint */
  function take(hint) {
    const el = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("compose"));
    const { hints } = state;
    if (!el || !hints || !hint) return;
    close();
    el.focus();
    putIn(el, hint.text, hints.from, hints.to);
  }

  /** Keys that are the list's while it is open. @param {KeyboardEvent} event @returns {boolean} whether it was one */
  function press(event) {
    const { hints } = state;
    if (!hints || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") close();
    else if (hints.loading && (event.key === "Enter" || event.key === "Tab")) hints.wanted = true;
    else if (!hints.hints.length) return false;
    else if (step) {
      hints.at = (hints.at + step + hints.hints.length) % hints.hints.length;
      changed();
      requestAnimationFrame(() => document.getElementById(`hint-${hints.at}`)?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) take(hints.hints[hints.at]);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** A slash by hand, for the button. */
  function slash() {
    const el = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("compose"));
    if (!el) return;
    el.focus();
    const before = el.value.slice(0, el.selectionStart);
    putIn(el, /\S$/.test(before) ? " /" : "/", el.selectionStart, el.selectionEnd);
  }

  return { look, close, press, take, slash };
}

/** As if it had been typed, so that undo takes it back. @param {HTMLTextAreaElement} el @param {string} text @param {number} from @param {number} to */
function putIn(el, text, from, to) {
  el.setSelectionRange(from, to);
  if (document.execCommand("insertText", false, text)) return;
  el.setRangeText(text, from, to, "end");
  el.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {import("./main.js").Desk} desk */
export function hintList(desk) {
  const { hints } = desk.state;
  if (!hints) return null;
  const label = hints.kind === "canned" ? "Canned replies" : "Mention";
  if (!hints.hints.length) {
    const words = hints.loading ? "Looking…" : hints.error || `No canned reply fits “${hints.q}”.`;
    return h("p", { class: "hints hints--none", id: "hints", role: "status", key: "hints-none" }, words);
  }
  return h(
    "ul",
    { class: "hints", id: "hints", role: "listbox", "aria-label": label, key: "hints" },
    hints.hints.map((hint, i) =>
      h(
        "li",
        {
          id: `hint-${i}`,
          key: hint.key,
          role: "option",
          "aria-selected": i === hints.at ? "true" : "false",
          // The caret stays where it is.
          onmousedown: (/** @type {Event} */ event) => event.preventDefault(),
          onclick: () => desk.hints.take(hint),
        },
        hints.kind === "mention" && hint.view,
        h("b", { class: "hint-name" }, hint.name),
        h("span", { class: "hint-about" }, hint.about),
        hints.kind === "canned" && hint.view,
      ),
    ),
  );
}
