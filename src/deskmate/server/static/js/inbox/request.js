// Screens, inbox: the card of a request: what is asked and why, until when, and what came of it.

import { h } from "../core/dom.js";
import { capital, clock, duration, ms, shorten, valueText } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { approvalBody, approvalFooter } from "./approval.js";
import { scoreText } from "./activity.js";
import { escalationFooter, questionBody, questionFooter } from "./question.js";
import { agentName, cardOf, inOrder, isWaiting, shortName } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Request} Request */

const KIND_WORDS = { question: "Question", approval: "Approval", escalation: "Escalation" };
const STATE_WORDS = /** @type {Record<string, string>} */ ({
  decided: "decided",
  applying: "decided, being applied",
  applied: "decided",
  expired: "expired",
  cancelled: "cancelled",
  superseded: "superseded",
  failed: "decided, then failed",
  in_doubt: "in doubt: started once, no result came back",
});
const EXPIRY_WORDS = /** @type {Record<string, string>} */ ({
  deny: "then denied",
  approve: "then approved",
  default: "then the default answer",
  escalate: "then escalates",
  reassign: "then passed on",
  wait: "then waits on",
});
const NEAR = 15 * 60_000;

/** @param {Desk} desk @param {Thread} thread @param {Request} request */
export function requestCard(desk, thread, request) {
  const { state } = desk;
  const card = state.cards.get(request.id);
  const waiting = isWaiting(request);
  const focused = waiting && state.focusCard === request.id;
  return h(
    "section",
    {
      class: `request request--${request.kind}${focused ? " request--focused" : ""}${waiting ? "" : " request--closed"}`,
      key: `card:${request.id}`,
      id: `request-${request.id}`,
      "data-state": request.state,
      "aria-labelledby": `ask-${request.id}`,
    },
    cardHeader(desk, request),
    h(
      "div",
      { class: "request-body" },
      h(
        "div",
        null,
        h("h2", { class: "request-ask", id: `ask-${request.id}`, tabindex: "-1" }, askText(desk, thread, request)),
        waiting && why(request),
      ),
      request.kind === "approval" && approvalBody(desk, request, cardOf(state, request.id)),
      waiting && request.kind !== "approval" && questionBody(desk, thread, request, cardOf(state, request.id)),
      waiting && turn(desk, thread, request),
      card?.error && h("p", { class: "field-error", role: "alert" }, icon("info", true), card.error),
    ),
    waiting ? cardFooter(desk, request) : [decided(desk, request), card?.lost && ownWords(desk, request)],
  );
}

/** @param {Desk} desk @param {Request} request */
function cardHeader({ state }, request) {
  const claimed = request.claimed_by;
  const byMe = claimed?.id === state.me?.id;
  const stand = !isWaiting(request)
    ? (STATE_WORDS[request.state] ?? request.state)
    : claimed
      ? `claimed by ${byMe ? "you" : claimed.name}`
      : "open, nobody has claimed it";
  return h(
    "header",
    { class: "request-header" },
    h("span", { class: `kind kind--${request.kind}` }, icon(request.kind), KIND_WORDS[request.kind]),
    claimed && !byMe && isWaiting(request) && avatar("operator", claimed.name, { size: "tiny" }),
    h("span", null, stand),
    h(
      "span",
      { class: "end" },
      request.kind === "approval" &&
        request.risk &&
        h("span", { class: `risk risk--${request.risk}` }, `${request.risk[0].toUpperCase()}${request.risk.slice(1)} risk`),
      isWaiting(request) && countdown(request, state.now),
    ),
  );
}

/** No countdown without its outcome. @param {Request} request @param {number} now */
function countdown(request, now) {
  const left = ms(request.expires_at) - now;
  if (Number.isNaN(left)) return h("span", { class: "countdown" }, "no time limit");
  const then = EXPIRY_WORDS[request.on_expiry ?? ""] ?? "";
  if (left < 0)
    return h(
      "span",
      { class: "countdown countdown--missed", role: "timer" },
      icon("clock", true),
      h("b", null, `${duration(-left)} over`),
      then,
    );
  return h(
    "span",
    { class: `countdown${left < NEAR ? " countdown--near" : ""}`, role: "timer" },
    icon("clock", true),
    h("b", null, h("span", { class: "sr" }, "Expires in "), duration(left)),
    then,
  );
}

/** @param {Desk} desk @param {Thread} thread @param {Request} request */
function askText({ state }, thread, request) {
  if (request.question) return request.question;
  if (request.kind === "escalation") return `${request.agent || agentName(state, thread)} asks a person to take this thread`;
  if (request.tool) return ["Run ", h("code", null, request.tool)];
  return request.draft ? "Send this draft" : "A decision is needed";
}

/** @param {Request} request */
function why(request) {
  const text = request.reason ? capital(request.reason.trim()) : scoreText(request);
  return text && h("p", { class: "request-why" }, "Why: ", text);
}

/** The turn it answers. @param {Desk} desk @param {Thread} thread @param {Request} request */
function turn(desk, thread, request) {
  const conversation = desk.state.conversations.get(thread.id);
  const asked =
    conversation &&
    inOrder(conversation).findLast(
      (one) => one.author.kind === "customer" && ms(one.created_at) <= ms(request.created_at) + 1000,
    );
  if (!asked) return null;
  return h(
    "p",
    { class: "request-turn" },
    h("span", null, `Answers ${shortName(thread)}:`),
    h("q", null, shorten(asked.text, 120)),
    h(
      "a",
      {
        href: `#message-${asked.id}`,
        onclick: (/** @type {Event} */ event) => {
          event.preventDefault();
          desk.show(`message-${asked.id}`);
        },
      },
      h("span", { class: "sr" }, "Show the message of "),
      clock(asked.created_at),
    ),
  );
}

/** @param {Desk} desk @param {Request} request */
function cardFooter(desk, request) {
  const card = cardOf(desk.state, request.id);
  if (card.mode === "decline" || card.mode === "reject" || card.mode === "respond") return reasonFooter(desk, request, card);
  if (request.kind === "approval") return approvalFooter(desk, request, card);
  if (request.kind === "escalation") return escalationFooter(desk, request, card);
  return questionFooter(desk, request, card);
}

/** A no needs its reason in reach, not behind a window. @param {Desk} desk @param {Request} request @param {import("./state.js").Card} card */
function reasonFooter(desk, request, card) {
  const words = { decline: "Decline", reject: "Reject", respond: "Respond" }[/** @type {"decline"} */ (card.mode)];
  const label =
    card.mode === "respond"
      ? "Your answer instead of running it"
      : `Reason${card.mode === "decline" ? ", optional" : " for the AI, optional"}`;
  const send = () => {
    const text = card.reason.trim();
    if (card.mode === "respond" && !text) return;
    void desk.verbs.decide(request, card.mode, card.mode === "respond" ? { value: text } : text ? { reason: text } : {});
  };
  return h(
    "footer",
    { class: "request-footer request-footer--reason", key: "reason" },
    h(
      "div",
      { class: "field" },
      h("label", { for: `reason-${request.id}` }, label),
      h("input", {
        class: "input",
        id: `reason-${request.id}`,
        value: card.reason,
        oninput: (/** @type {any} */ event) => desk.type(card, "reason", event.target.value),
        onkeydown: (/** @type {KeyboardEvent} */ event) =>
          event.key === "Enter" && !event.isComposing && (event.preventDefault(), send()),
      }),
    ),
    button(words, send, { look: "primary", disabled: card.busy || (card.mode === "respond" && !card.reason.trim()) }),
    button("Back", () => desk.mode(request, ""), { look: "plain" }),
  );
}

/** Who, when and what. @param {Desk} desk @param {Request} request */
function decided({ state }, request) {
  const decision = request.decision;
  if (!decision?.by) {
    const words = {
      expired: "Nobody decided in time",
      cancelled: "Nobody has to decide this any more",
      superseded: "A newer message took its place",
    }[/** @type {"expired"} */ (request.state)];
    return h(
      "div",
      { class: "decided", role: "status" },
      icon("info", true),
      h(
        "span",
        { class: "grow" },
        words ?? `This is ${request.state}`,
        request.on_expiry && request.state === "expired" ? `, ${EXPIRY_WORDS[request.on_expiry]}.` : ".",
      ),
    );
  }
  const mine = decision.by.id === state.me?.id;
  const who = mine ? "You" : decision.by.name;
  const card = state.cards.get(request.id);
  const head = card?.lost && !mine ? `${who} decided this at ${clock(decision.at)}:` : `${who}, ${clock(decision.at)}:`;
  return h(
    "div",
    { class: "decided", role: "status" },
    avatar("operator", mine ? state.me?.name : decision.by.name, { size: "small" }),
    h("span", { class: "grow" }, h("strong", null, head), " ", decisionText(decision, request)),
  );
}

/** @param {import("../core/types.js").Decision} decision @param {Request} request */
function decisionText(decision, request) {
  if (decision.kind === "edit" && decision.args) return ["approved with ", changes(request.args ?? {}, decision.args)];
  const said = [decision.value, decision.text, decision.reason].find((one) => one !== undefined && one !== null && one !== "");
  const quote = said === undefined ? "." : ` “${valueText(said)}”`;
  const verb =
    /** @type {Record<string, string>} */ ({
      answer: "answered",
      decline: "declined",
      approve: "approved",
      edit: "approved with changes",
      reject: "rejected",
      respond: "answered instead",
      take_over: "took over",
    })[decision.kind] ?? "decided";
  return verb + quote;
}

/** @param {Record<string, any>} before @param {Record<string, any>} after */
function changes(before, after) {
  const names = Object.keys({ ...before, ...after }).filter((name) => valueText(before[name]) !== valueText(after[name]));
  return names.map((name, i) => [
    i > 0 && ", ",
    h("code", null, name),
    " ",
    h("del", null, valueText(before[name])),
    " ",
    h("ins", null, valueText(after[name])),
  ]);
}

/** The loser's own words stay until they drop them. @param {Desk} desk @param {Request} request */
function ownWords(desk, request) {
  const card = cardOf(desk.state, request.id);
  const text = [card.text, card.reason].filter(Boolean).join(" ").trim();
  if (!text) return null;
  return h(
    "footer",
    { class: "request-footer" },
    h("span", { class: "quiet grow" }, `You wrote: “${text}”`),
    button("Keep as a note", () => desk.verbs.keepAsNote(request), { look: "small" }),
    button(
      "Discard",
      () => {
        desk.state.cards.delete(request.id);
        desk.changed();
      },
      { look: "plain small" },
    ),
  );
}
