// Screens, inbox: the keys. Single keys can be switched off, and never fire while somebody types.

import { heldByMe, openThread, waitingRequests } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */

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
    if (event.key === "Escape" && typing(event.target) && !state.dialog) /** @type {HTMLElement} */ (event.target).blur();
    if (!state.shortcuts || state.dialog || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
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
  if (!thread) return false;
  switch (event.key) {
    case "R":
      return did(() => verbs.resolve(true));
    case "n":
      return did(() => desk.write("note"));
    case "t":
      return did(() => (heldByMe(thread, state.me) ? desk.write("reply") : verbs.takeOver()));
    case "r":
      return did(() => (card(desk, event) ? press(desk, "r") : desk.write("reply")));
    case "a":
    case "e":
      return did(() => press(desk, event.key));
    default:
      return false;
  }
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
  const focused = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const current = focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

/** @param {Desk} desk @param {Event} event */
function card(desk, event) {
  return event.target instanceof Element && event.target.closest(".request--focused") !== null;
}

/** What a, e and r do depends on what is asked. @param {Desk} desk @param {string} key */
function press(desk, key) {
  const { state } = desk;
  const waiting = waitingRequests(state, state.view.thread ?? "");
  const request = waiting.find((one) => one.id === state.focusCard) ?? waiting[0];
  if (!request) return;
  // A key decides nothing on a card that was not in focus and in sight: it only goes there.
  const inFocus = state.focusCard === request.id && inSight(`request-${request.id}`);
  if (!inFocus) desk.focusOn(request.id);
  else if (key === "r") desk.mode(request, request.kind === "approval" ? "reject" : "decline");
  else if (request.kind === "question") desk.focus(`answer:${request.id}`);
  else if (key === "e") request.approval ?? desk.mode(request, "edit");
  else void desk.verbs.decide(request, request.kind === "approval" ? "approve" : "take_over");
}

/** Whether its end, where the buttons are, can be seen. @param {string} id */
function inSight(id) {
  const card = document.getElementById(id)?.getBoundingClientRect();
  const place = document.getElementById("timeline")?.getBoundingClientRect();
  return Boolean(card && place && card.bottom <= place.bottom + 8 && card.bottom > place.top);
}
