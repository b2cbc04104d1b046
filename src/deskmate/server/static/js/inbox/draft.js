// Screens, inbox: what is special about drafts: read as they would be sent, edited in place, and never sent unseen once stale.

import { diffView } from "../core/diff.js";
import { h } from "../core/dom.js";
import { capital, clock, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { markdown } from "../core/markdown.js";
import { button } from "../core/parts.js";
import { mayDecide, onIt, onSend, reasonFooter, reviewField } from "./reason.js";
import { inOrder, shortName } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("./state.js").Card} Card */

/** @type {import("./ways.js").Way} */
export const draft = {
  body(desk, thread, request, card) {
    const was = original(desk, request);
    const now = card.draft ?? was;
    const newer = newerMessage(desk, request, card);
    return [
      newer !== null && staleView(thread, newer),
      card.mode === "edit"
        ? h(
            "div",
            { class: "field", key: "edit", onkeydown: onSend(() => send(desk, request, card)) },
            h("label", { for: `draft-${request.id}` }, "Text that is sent"),
            h("textarea", {
              class: "input",
              id: `draft-${request.id}`,
              rows: Math.min(12, Math.max(3, now.split("\n").length + Math.floor(now.length / 80))),
              value: now,
              oninput: (/** @type {any} */ event) => desk.type(card, "draft", event.target.value),
            }),
            card.problems.text && h("p", { class: "field-error", role: "alert" }, icon("info", true), card.problems.text),
          )
        : h("div", { class: "draft-text", key: "text" }, markdown(now)),
      now !== was && changesView(was, now),
      card.mode === "edit" && reviewField(desk, request, card, () => send(desk, request, card)),
    ];
  },
  footer(desk, thread, request, card) {
    const may = mayDecide(desk, request) && !card.busy;
    const stale = newerMessage(desk, request, card) !== null;
    if (card.mode === "reject") {
      return reasonFooter(
        desk,
        request,
        card,
        {
          label: "Review for the AI, optional",
          verb: card.retry ? "Reject and let it try again" : "Reject",
          placeholder: "What is wrong with it",
          field: "review",
          send: (text) =>
            void desk.verbs.decide(request, "reject", {
              ...(text ? { review: text } : {}),
              ...(card.retry ? { retry: true } : {}),
            }),
        },
        h(
          "label",
          { class: "check request-retry" },
          h("input", {
            type: "checkbox",
            id: `retry-${request.id}`,
            checked: card.retry,
            onchange: (/** @type {any} */ event) => desk.type(card, "retry", event.target.checked),
          }),
          "Let the AI try again",
        ),
      );
    }
    const changed = (card.draft ?? original(desk, request)) !== original(desk, request);
    const words = stale ? "Send anyway" : changed ? "Send with changes" : "Send";
    return h(
      "footer",
      { class: "request-footer", key: "ways" },
      button(words, () => send(desk, request, card), {
        id: `send-${request.id}`,
        look: stale ? "" : "primary",
        keys: card.mode === "edit" ? "Ctrl ↵" : stale ? "" : "a",
        disabled: !may || !(card.draft ?? "text").trim(),
      }),
      card.mode === "edit"
        ? button(changed ? "Undo changes" : "Back", () => undo(desk, request, card), { look: changed ? "" : "plain" })
        : button("Edit", () => desk.mode(request, "edit"), { keys: "e", disabled: !may }),
      card.mode !== "edit" &&
        button(stale ? "Ask for a new draft…" : "Reject…", () => reject(desk, request, card), {
          look: stale ? "primary" : "",
          keys: "r",
          disabled: !may,
        }),
      onIt(desk, request, thread.customer ? `${capital(shortName(thread))} cannot see it yet` : ""),
    );
  },
  press(desk, request, card, key) {
    if (key === "r") reject(desk, request, card);
    else if (key === "e") desk.mode(request, "edit");
    else if (card.mode === "reject") desk.mode(request, "");
    // One key never sends what the customer has written past: it leads to the button that says so.
    else if (newerMessage(desk, request, card) !== null) desk.focus(`button:send-${request.id}`);
    else send(desk, request, card);
  },
};

/** The words of the AI, whatever became of them since. @param {Desk} desk @param {Request} request */
export function original({ state }, request) {
  const message = state.conversations.get(request.thread)?.messages.get(request.draft ?? "");
  return request.suggestion ?? message?.text ?? "";
}

/** @param {string} was @param {string} now */
export function changesView(was, now) {
  return h(
    "div",
    { class: "draft-changes", key: "changes", role: "group", "aria-label": "Changes" },
    h("span", { class: "draft-changes-head" }, "Changes"),
    h("div", { class: "draft-diff" }, diffView(was, now)),
  );
}

/**
 * What the customer has written since, as far as it is known here or the server said so.
 * @param {Desk} desk @param {Request} request @param {Card} card @returns {import("../core/types.js").Message | "" | null}
 */
function newerMessage({ state }, request, card) {
  const conversation = state.conversations.get(request.thread);
  const message = conversation?.messages.get(request.draft ?? "");
  const newer =
    conversation &&
    message &&
    inOrder(conversation).findLast((one) => one.author.kind === "customer" && one.order > message.order);
  return newer ?? (card.stale ? "" : null);
}

/** @param {Thread} thread @param {import("../core/types.js").Message | ""} newer */
function staleView(thread, newer) {
  return h(
    "p",
    { class: "draft-stale", role: "status", key: "stale" },
    icon("escalation", true),
    h(
      "span",
      null,
      h("strong", null, `${capital(shortName(thread))} wrote after this draft`),
      newer
        ? [": ", h("q", null, shorten(newer.text, 160)), ` ${clock(newer.created_at)}`]
        : ". Read the thread before you send it.",
    ),
  );
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function send(desk, request, card) {
  const was = original(desk, request);
  const now = (card.draft ?? was).trim();
  if (!now || !mayDecide(desk, request)) return;
  const body = {
    ...(newerMessage(desk, request, card) === null ? {} : { stale_ok: true }),
    ...(card.review.trim() ? { review: card.review.trim() } : {}),
  };
  if (now === was.trim()) void desk.verbs.decide(request, "approve", body);
  else void desk.verbs.decide(request, "edit", { text: now, ...body });
}

/** A draft that is stale is rejected for a better one, most of the time. @param {Desk} desk @param {Request} request @param {Card} card */
function reject(desk, request, card) {
  card.retry ||= newerMessage(desk, request, card) !== null;
  desk.mode(request, "reject");
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function undo(desk, request, card) {
  card.draft = null;
  desk.mode(request, "");
}
