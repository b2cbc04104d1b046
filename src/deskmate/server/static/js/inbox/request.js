// Screens, inbox: the card of a request: what is asked and why, until when, and what came of it.

import { h } from "../core/dom.js";
import { capital, clock, counted, ms, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { scoreText } from "./activity.js";
import { closedArgs } from "./approval.js";
import { closedView, ownWords, standing } from "./closed.js";
import { countdown } from "./deadline.js";
import { agentName, cardOf, faceOf, inOrder, isWaiting, needsPerson, shortName, works } from "./state.js";
import { checkView, isCheck } from "./routes.js";
import { wayOf } from "./ways.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Request} Request */

/** @param {Desk} desk @param {Thread} thread @param {Request} request */
export function requestCard(desk, thread, request) {
  const { state } = desk;
  const waiting = isWaiting(request);
  const live = needsPerson(request);
  const card = live ? cardOf(state, request.id) : state.cards.get(request.id);
  const focused = live && state.focusCard === request.id;
  const face = faceOf(request);
  return h(
    "section",
    {
      class: `request request--${request.kind}${face.name === "draft" ? " request--draft" : ""}${focused ? " request--focused" : ""}${live ? "" : " request--closed"}`,
      key: `card:${request.id}`,
      id: `request-${request.id}`,
      "data-state": request.state,
      "aria-labelledby": `ask-${request.id}`,
    },
    cardHeader(desk, request, face),
    h(
      "div",
      { class: "request-body" },
      h(
        "div",
        null,
        h("h2", { class: "request-ask", id: `ask-${request.id}`, tabindex: "-1" }, askText(desk, thread, request)),
        waiting && why(request),
        waiting && isCheck(state, thread, request) && checkView(),
        waiting && turn(desk, thread, request),
      ),
      live && card ? asked(state, wayOf(request).body(desk, thread, request, card)) : foldedArgs(desk, request),
      card?.error && h("p", { class: "field-error", role: "alert", key: "error" }, icon("info", true), card.error),
    ),
    live && card
      ? works(state)
        ? wayOf(request).footer(desk, thread, request, card)
        : h("footer", { class: "request-footer", key: "observed" }, h("span", { class: "quiet" }, "Operators decide this. You observe."))
      : [closedView(desk, request), card?.lost && ownWords(desk, request)],
  );
}

/** Who may not decide sees what is asked, and can change nothing of it. @param {import("./state.js").State} state @param {any} body */
function asked(state, body) {
  return works(state) ? body : h("fieldset", { class: "request-observed", disabled: true, key: "observed", "aria-label": "What is asked" }, body);
}

/** @param {Desk} desk @param {Request} request @param {{name: string, word: string}} face */
function cardHeader({ state }, request, face) {
  const claimed = request.claimed_by;
  const byMe = claimed?.id === state.me?.id;
  const waiting = isWaiting(request);
  const stand = !waiting
    ? standing(request, state.me?.id)
    : claimed
      ? `claimed by ${byMe ? "you" : claimed.name}`
      : "open, nobody has claimed it";
  return h(
    "header",
    { class: "request-header" },
    h("span", { class: `kind kind--${face.name}` }, icon(face.name), face.word),
    claimed && !byMe && waiting && avatar("operator", claimed.name, { size: "tiny" }),
    h("span", null, stand),
    h(
      "span",
      { class: "end" },
      request.kind === "approval" &&
        !request.draft &&
        request.risk &&
        h("span", { class: `risk risk--${request.risk}` }, `${capital(request.risk)} risk`),
      waiting && countdown(request, state.now),
    ),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {Request} request */
function askText({ state }, thread, request) {
  const agent = request.agent || agentName(state, thread);
  if (request.state === "in_doubt" && request.tool) return ["Did ", h("code", null, request.tool), " run?"];
  if (request.kind === "escalation") return request.question || (request.run ? `${agent} asks a person to take this thread` : "A person is asked to take this thread");
  if (request.question) return request.question;
  if (request.tool) return ["Run ", h("code", null, request.tool)];
  if (request.draft) return thread.customer ? `Send this to ${shortName(thread)}?` : "Send this draft?";
  return "A decision is needed";
}

/** @param {Request} request */
function why(request) {
  const text = request.reason ? capital(request.reason.trim()) : scoreText(request);
  return text && h("p", { class: "request-why" }, "Why: ", text);
}

/** Once decided, the arguments stand behind the decision. @param {Desk} desk @param {Request} request */
function foldedArgs(desk, request) {
  const names = Object.keys(request.decision?.args ?? request.args ?? {});
  if (request.kind !== "approval" || !request.tool || !names.length) return null;
  return h(
    "details",
    { class: "args-fold", key: "args" },
    h("summary", null, counted(names.length, "argument"), h("span", { class: "quiet" }, names.join(", ")), icon("down", true)),
    closedArgs(desk, request),
  );
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
    { class: "request-turn", key: "turn" },
    h("span", null, request.kind === "escalation" ? `${capital(shortName(thread))} wrote:` : `Answers ${shortName(thread)}:`),
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
