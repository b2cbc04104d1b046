// Screens, inbox: what is special about questions: the suggestion, and the answer, in words or in the fields of its schema.

import { h } from "../core/dom.js";
import { button } from "../core/parts.js";
import { fieldsView } from "./fields.js";
import { mayDecide, onIt, onSend, reasonFooter } from "./reason.js";
import { fieldOf, leaves } from "./schema.js";
import { agentName, shortName } from "./state.js";
import { suggestion } from "./suggestion.js";
import { fill, read } from "./typed.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("./state.js").Card} Card */

/** @type {import("./ways.js").Way} */
export const question = {
  body(desk, thread, request, card) {
    const send = () => answer(desk, request, card);
    return [
      suggestion(request, usable(request) ? () => use(desk, request, card) : null, "e"),
      answerView(desk, thread, request, card, send),
    ];
  },
  footer(desk, thread, request, card) {
    if (card.mode === "decline") return decline(desk, request, card);
    const may = mayDecide(desk, request);
    return h(
      "footer",
      { class: "request-footer", key: "ways" },
      button("Answer", () => answer(desk, request, card), { look: "primary", keys: "Ctrl ↵", disabled: card.busy || !may }),
      button("Decline…", () => desk.mode(request, "decline"), { look: "plain", keys: "r", disabled: card.busy || !may }),
      onIt(desk, request, thread.customer ? "Stays open if the customer writes again" : ""),
    );
  },
  press(desk, request, card, key) {
    if (key === "r") desk.mode(request, "decline");
    else if (key === "e" && usable(request)) use(desk, request, card);
    else {
      card.mode = "";
      desk.changed();
      desk.focus(`answer:${request.id}`);
    }
  },
};

/** The form that answers a request; null where words are wanted. @param {Request} request */
export function formOf(request) {
  return request.response_schema ? fieldOf(request.response_schema, "value") : null;
}

/**
 * Where the answer is written: in words, or in fields.
 * @param {Desk} desk @param {Thread} thread @param {Request} request @param {Card} card @param {() => void} send
 */
export function answerView(desk, thread, request, card, send) {
  const agent = request.agent || agentName(desk.state, thread);
  const root = formOf(request);
  if (root) {
    const some = leaves(root).some((leaf) => leaf.required) && root.kind === "object";
    return h(
      "div",
      {
        class: "args args--answer",
        key: "answer",
        role: "group",
        "aria-label": `Answer to ${agent}`,
        onkeydown: onSend(send),
      },
      root.kind === "object" && root.hint && h("p", { class: "field-hint arg--wide" }, root.hint),
      fieldsView({ desk, id: request.id, card, root, was: undefined }),
      card.problems[root.path] &&
        root.kind === "object" &&
        h("p", { class: "field-error arg--wide", role: "alert" }, card.problems[root.path]),
      some && h("p", { class: "field-hint arg--wide" }, h("span", { class: "needed" }, "*"), " has to be filled in"),
    );
  }
  const id = `answer-${request.id}`;
  return h(
    "div",
    { class: "field", key: "answer", onkeydown: onSend(send) },
    h(
      "p",
      { class: "answer-label" },
      h("label", { for: id }, "Answer"),
      " ",
      h("span", { class: "quiet", id: `answer-to-${request.id}` }, `to ${agent}`),
    ),
    h("textarea", {
      class: "input",
      id,
      "aria-describedby": `answer-to-${request.id}`,
      rows: 2,
      value: card.text,
      placeholder: thread.customer ? `${agent} tells ${shortName(thread)}, with your name` : `${agent} goes on with it`,
      oninput: (/** @type {any} */ event) => desk.type(card, "text", event.target.value),
    }),
  );
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function answer(desk, request, card) {
  if (!mayDecide(desk, request)) return;
  const root = formOf(request);
  if (!root) {
    const text = card.text.trim();
    if (!text) desk.focus(`answer:${request.id}`);
    else void desk.verbs.decide(request, "answer", { value: text });
    return;
  }
  card.problems = {};
  const value = read(root, card.form, undefined, card.problems);
  const first = leaves(root).find((leaf) => card.problems[leaf.path]);
  if (first) {
    desk.changed();
    desk.focus(`field:${request.id}-${first.path}`);
  } else void desk.verbs.decide(request, "answer", { value: value ?? null });
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function decline(desk, request, card) {
  return reasonFooter(desk, request, card, {
    label: "Reason, optional",
    verb: "Decline",
    placeholder: "The AI is told that no answer will come, and why",
    send: (text) => void desk.verbs.decide(request, "decline", text ? { reason: text } : {}),
  });
}

/** What the AI suggests, as far as it fits the fields. @param {Request} request @returns {any} */
function suggested(request) {
  const root = formOf(request);
  if (!root || root.kind === "text" || root.kind === "long") return request.suggestion;
  try {
    return JSON.parse(request.suggestion ?? "");
  } catch {
    return root.choices.find((one) => one.value === request.suggestion || one.label === request.suggestion)?.value;
  }
}

/** @param {Request} request */
const usable = (request) => Boolean(request.suggestion) && suggested(request) !== undefined;

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function use(desk, request, card) {
  const root = formOf(request);
  card.mode = request.kind === "escalation" ? "edit" : "";
  if (root) fill(root, suggested(request), card.form);
  else card.text = request.suggestion ?? "";
  desk.changed();
  desk.focus(`answer:${request.id}`);
}
