// Screens, inbox: what is special about questions and escalations: the suggestion, the answer, the ways out.

import { h } from "../core/dom.js";
import { firstName } from "../core/format.js";
import { button } from "../core/parts.js";
import { agentName, shortName } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("./state.js").Card} Card */

/** @param {Desk} desk @param {import("../core/types.js").Thread} thread @param {Request} request @param {Card} card */
export function questionBody(desk, thread, request, card) {
  const agent = request.agent || agentName(desk.state, thread);
  if (request.kind === "escalation" && card.mode !== "edit") return suggestion(desk, request, card);
  const choices = request.response_schema?.enum;
  return [
    suggestion(desk, request, card),
    h(
      "div",
      { class: "field", key: "answer" },
      h(
        "p",
        { class: "answer-label" },
        h("label", { for: `answer-${request.id}` }, "Answer"),
        " ",
        h("span", { class: "quiet", id: `answer-to-${request.id}` }, `to ${agent}`),
      ),
      Array.isArray(choices)
        ? h(
            "select",
            {
              class: "input",
              id: `answer-${request.id}`,
              value: card.text,
              onchange: (/** @type {any} */ event) => desk.type(card, "text", event.target.value),
            },
            h("option", { value: "" }, "Choose…"),
            choices.map((one) => h("option", { value: String(one) }, String(one))),
          )
        : h("textarea", {
            class: "input",
            id: `answer-${request.id}`,
            "aria-describedby": `answer-to-${request.id}`,
            rows: 2,
            value: card.text,
            placeholder: `${agent} tells ${shortName(thread)}, with your name`,
            oninput: (/** @type {any} */ event) => desk.type(card, "text", event.target.value),
            onkeydown: (/** @type {KeyboardEvent} */ event) => {
              if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              answer(desk, request, card);
            },
          }),
    ),
  ];
}

/** What the AI would say, how sure it is, and how sure it has to be. @param {Desk} desk @param {Request} request @param {Card} card */
function suggestion(desk, request, card) {
  if (!request.suggestion) return null;
  return h(
    "div",
    { class: "suggestion", key: "suggestion" },
    h("p", { class: "suggestion-text" }, h("span", { class: "badge badge--agent" }, "AI"), " suggests: ", request.suggestion),
    button(
      "Use suggestion",
      () => {
        if (request.kind === "escalation") card.mode = "edit";
        desk.type(card, "text", request.suggestion ?? "");
        desk.focus(`answer:${request.id}`);
      },
      { look: "small" },
    ),
    typeof request.confidence === "number" && confidence(request.confidence, request.floor ?? null),
  );
}

/** The bar is the value, the tick is the floor. @param {number} value @param {number | null} floor */
function confidence(value, floor) {
  const words = `Confidence ${value.toFixed(2)}${floor === null ? "" : `, floor ${floor.toFixed(2)}`}`;
  return h(
    "div",
    { class: "confidence" },
    h("span", null, `Confidence ${value.toFixed(2)}`),
    h(
      "span",
      {
        class: "meter",
        role: "img",
        "aria-label": words,
        vars: { "--value": `${value * 100}%`, "--floor": `${(floor ?? 0) * 100}%` },
      },
      h("span"),
      floor !== null && h("i"),
    ),
    floor !== null && h("span", null, `floor ${floor.toFixed(2)}`),
  );
}

/** The value as the schema wants it; plain text without one. @param {Request} request @param {string} text */
function valueOf(request, text) {
  const schema = request.response_schema;
  if (!schema || schema.type === "string") return text;
  const choice = schema.enum?.find((/** @type {unknown} */ one) => String(one) === text);
  if (choice !== undefined) return choice;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function answer(desk, request, card) {
  const text = card.text.trim();
  if (!text) {
    desk.focus(`answer:${request.id}`);
    return;
  }
  void desk.verbs.decide(request, "answer", { value: valueOf(request, text) });
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function questionFooter(desk, request, card) {
  const other = request.claimed_by && request.claimed_by.id !== desk.state.me?.id;
  const may = !other || ["admin", "lead"].includes(desk.state.me?.role ?? "");
  return h(
    "footer",
    { class: "request-footer", key: "ways" },
    button("Answer", () => answer(desk, request, card), {
      look: "primary",
      keys: "Ctrl ↵",
      disabled: card.busy || !card.text.trim() || !may,
    }),
    button("Decline…", () => desk.mode(request, "decline"), { look: "plain", disabled: card.busy || !may }),
    h(
      "span",
      { class: "end" },
      other ? `${firstName(request.claimed_by?.name)} is on it` : "Stays open if the customer writes again",
    ),
  );
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function escalationFooter(desk, request, card) {
  const answering = card.mode === "edit";
  return h(
    "footer",
    { class: "request-footer", key: "ways" },
    !answering &&
      button("Take over", () => desk.verbs.decide(request, "take_over"), { look: "primary", keys: "a", disabled: card.busy }),
    answering
      ? [
          button("Answer", () => answer(desk, request, card), {
            look: "primary",
            keys: "Ctrl ↵",
            disabled: card.busy || !card.text.trim(),
          }),
          button("Back", () => desk.mode(request, ""), { look: "plain" }),
        ]
      : button("Answer only…", () => desk.mode(request, "edit"), { disabled: card.busy }),
    button("Decline…", () => desk.mode(request, "decline"), { look: "plain", disabled: card.busy }),
  );
}
