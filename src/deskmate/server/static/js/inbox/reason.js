// Screens, inbox: a no, or a yes with words, in the foot of a card: its reason in reach, not behind a window.

import { h } from "../core/dom.js";
import { firstName } from "../core/format.js";
import { button } from "../core/parts.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("./state.js").Card} Card */

/**
 * @param {Desk} desk @param {Request} request @param {Card} card
 * @param {{label: string, verb: string, send: (text: string) => void, needed?: boolean, placeholder?: string, field?: "reason" | "review",
 *   danger?: boolean}} options
 * @param {...any} more stands between the words and the button
 */
export function reasonFooter(desk, request, card, { label, verb, send, needed = false, placeholder, field = "reason" }, ...more) {
  const go = () => {
    const text = card[field].trim();
    if (needed && !text) return;
    send(text);
  };
  const id = `reason-${request.id}`;
  return h(
    "footer",
    { class: "request-footer request-footer--reason", key: `reason:${card.mode}` },
    h(
      "div",
      { class: "field" },
      h("label", { for: id }, label),
      h("textarea", {
        class: "input",
        id,
        rows: 1,
        placeholder,
        value: card[field],
        oninput: (/** @type {any} */ event) => desk.type(card, field, event.target.value),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
          event.preventDefault();
          go();
        },
      }),
      more,
    ),
    button(verb, go, { look: "primary", keys: "↵", disabled: card.busy || (needed && !card[field].trim()) }),
    button("Back", () => desk.mode(request, ""), { look: "plain", keys: "Esc" }),
  );
}

/** Said to the AI along with a decision. @param {Desk} desk @param {Request} request @param {Card} card @param {() => void} send */
export function reviewField(desk, request, card, send) {
  const id = `review-${request.id}`;
  return h(
    "div",
    { class: "field", key: "review" },
    h("label", { for: id }, "Review for the AI, optional"),
    h("input", {
      class: "input",
      id,
      value: card.review,
      placeholder: "What it should do better next time",
      oninput: (/** @type {any} */ event) => desk.type(card, "review", event.target.value),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        send();
      },
    }),
  );
}

/** Ctrl and Enter in any field of a card. @param {() => void} send */
export const onSend = (send) => (/** @type {KeyboardEvent} */ event) => {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  send();
};

/** Whether this operator may decide what somebody else has claimed. @param {Desk} desk @param {Request} request */
export function mayDecide({ state }, request) {
  const other = request.claimed_by && request.claimed_by.id !== state.me?.id;
  return !other || ["admin", "lead"].includes(state.me?.role ?? "");
}

/** @param {Desk} desk @param {Request} request @param {string} [otherwise] */
export function onIt({ state }, request, otherwise) {
  const other = request.claimed_by && request.claimed_by.id !== state.me?.id;
  const words = other ? `${firstName(request.claimed_by?.name)} is on it` : otherwise;
  return words ? h("span", { class: "end" }, words) : null;
}
