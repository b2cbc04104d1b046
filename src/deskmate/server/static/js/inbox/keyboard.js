// Screens, inbox: the keys. Single keys can be switched off, and never fire while somebody types.

import { shownPicked } from "./bulk.js";
import { cardOf, heldByMe, openThread, pendingRequests, works } from "./state.js";
import { wayOf } from "./ways.js";

/** @typedef {import("./main.js").Desk} Desk */

const TWICE = 300;

/** @param {EventTarget | null} target */
function typing(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select"))
  );
}

/** @param {Desk} desk */
export function listenToKeys(desk) {
  document.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element && event.target.closest(".request:not(.request--closed)");
    if (card) desk.focusCard(card.id.replace(/^request-/, ""));
  });
  document.addEventListener("keydown", (event) => {
    const { state } = desk;
    if (state.phase !== "ready" || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      desk.dialog(state.dialog === "palette" ? null : "palette");
      return;
    }
    if (event.key === "Escape" && state.contextOpen && !state.dialog) {
      desk.toggleContext();
      return;
    }
    if (event.key === "Escape" && !state.dialog && leaveList(desk, event)) return;
    if (event.key === "Escape" && !state.dialog && leave(desk, event.target)) return;
    // Where brackets are typed with AltGr, browsers report Ctrl and Alt as well.
    const chord = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
    if (!state.shortcuts || state.dialog || chord || typing(event.target)) return;
    // A key that is held down decides nothing.
    if (event.repeat && "aer".includes(event.key)) return;
    if (run(desk, event)) event.preventDefault();
  });
}

/** @param {Desk} desk @param {KeyboardEvent} event @returns {boolean} whether the key meant something */
function run(desk, event) {
  const { state, verbs } = desk;
  const thread = openThread(state);
  if (event.key === "?") return did(() => desk.dialog("keys"));
  if (event.key === "/") return did(() => desk.search());
  if (event.key === "j" || event.key === "k") return did(() => step(event.key === "j" ? 1 : -1));
  if (event.key === "f") return did(() => desk.toggleFilters());
  if (!works(state)) return false;
  if (event.key === "x") return did(() => desk.next());
  if (pickKey(desk, event)) return true;
  if (!thread) return false;
  switch (event.key) {
    case "R":
      return did(() => verbs.resolve(true));
    case "#":
      return did(() => desk.dialog("assign"));
    case "s":
      return did(() => thread.status !== "resolved" && desk.dialog("snooze"));
    case "n":
      return did(() => desk.write("note"));
    case "t":
      return did(() => (heldByMe(thread, state.me) ? desk.write("reply") : verbs.takeOver()));
    case "r":
      return did(() => (selected(desk)?.id === state.focusCard ? press(desk, "r") : desk.write("reply")));
    case "a":
    case "e":
      return did(() => press(desk, event.key));
    case "[":
    case "]":
      return did(() => nextCard(desk, event.key === "]" ? 1 : -1));
    default:
      return false;
  }
}

/** @type {Record<string, "assign" | "snooze" | "priority" | "tags" | "note">} */
const BULK = { "#": "assign", s: "snooze", p: "priority", l: "tags", n: "note" };

/** What selects threads, and acts on those that are. @param {Desk} desk @param {KeyboardEvent} event */
function pickKey({ state, bulk }, event) {
  const row = document.activeElement?.closest(".thread-row") ?? null;
  if (event.key === " " && row) return did(() => bulk.pick(/** @type {HTMLElement} */ (row).dataset.thread ?? ""));
  if (event.key === "J" || event.key === "K") {
    return did(() => {
      const from = /** @type {HTMLElement | null} */ (row)?.dataset.thread;
      if (from) bulk.pick(from, { on: true });
      step(event.key === "J" ? 1 : -1);
      const to = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.thread;
      if (to) bulk.pick(to, { on: true });
    });
  }
  if (!shownPicked(state).length) return false;
  if (event.key === "R") return did(() => bulk.act({ status: "resolved" }, "resolved"));
  if (BULK[event.key]) return did(() => state.picked.panel === BULK[event.key] || bulk.panel(BULK[event.key]));
  return false;
}

/** Out of what is open at the list: its panel first, then what is selected. @param {Desk} desk @param {KeyboardEvent} event */
function leaveList({ state, bulk, toggleFilters }, event) {
  const at = event.target instanceof Element ? event.target : null;
  if (at?.closest("[popover]") || at?.closest("#search")) return false;
  const { picked } = state;
  if (picked.panel && (!typing(at) || at?.closest(".bulk"))) return did(() => bulk.panel(picked.panel));
  if (at?.closest("#filter-panel")) return did(toggleFilters);
  if (typing(at) || at?.closest(".request")) return false;
  return (picked.ids.size > 0 || picked.showing) && did(() => bulk.clear());
}

/** @param {() => unknown} work */
function did(work) {
  void work();
  return true;
}

/** The next or previous row gets the focus; Enter opens it, as with every link. @param {number} by */
function step(by) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".list-rows .thread-row")]);
  if (!rows.length) return;
  const here = document.activeElement?.closest(".thread-place")?.querySelector(".thread-row");
  const focused = rows.indexOf(/** @type {HTMLElement} */ (here));
  const current = focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

/** Out of a field of a card to the card, and from there out of what was begun on it. @param {Desk} desk @param {EventTarget | null} target */
function leave(desk, target) {
  if (!(target instanceof HTMLElement)) return false;
  const id = target.closest(".request:not(.request--closed)")?.id.replace(/^request-/, "");
  const request = pendingRequests(desk.state, desk.state.view.thread ?? "").find((one) => one.id === id);
  if (typing(target)) {
    if (request) desk.focus(`ask:${request.id}`);
    else target.blur();
    return true;
  }
  if (!request || !cardOf(desk.state, request.id).mode) return false;
  desk.mode(request, "");
  return true;
}

/** The request that the keys act on: the one whose card shows them. @param {Desk} desk */
function selected({ state }) {
  const pending = pendingRequests(state, state.view.thread ?? "");
  return pending.find((one) => one.id === state.focusCard) ?? pending[0];
}

/** What a, e and r do depends on what is asked. @param {Desk} desk @param {string} key */
function press(desk, key) {
  const { state } = desk;
  const request = selected(desk);
  if (!request || Date.now() - state.movedOn < TWICE) return;
  // A key decides nothing on a card that was not in focus and in sight: it only goes there.
  if (state.focusCard !== request.id || !inSight(`request-${request.id}`)) desk.focusOn(request.id);
  else wayOf(request).press(desk, request, cardOf(state, request.id), key);
}

/** @param {Desk} desk @param {number} by */
function nextCard(desk, by) {
  const pending = pendingRequests(desk.state, desk.state.view.thread ?? "");
  if (!pending.length) return;
  const here = document.activeElement?.closest(".request") ? pending.findIndex((one) => one.id === desk.state.focusCard) : -1;
  const next = here < 0 ? (by > 0 ? 0 : pending.length - 1) : (here + by + pending.length) % pending.length;
  desk.focusOn(pending[next].id);
}

/** Whether its end, where the buttons are, can be seen. @param {string} id */
function inSight(id) {
  const card = document.getElementById(id)?.getBoundingClientRect();
  const place = document.getElementById("timeline")?.getBoundingClientRect();
  return Boolean(card && place && card.bottom <= place.bottom + 8 && card.bottom > place.top + 8);
}
