// Screens, inbox: what is special about approvals: the exact arguments as typed fields, and changes in sight.

import { h } from "../core/dom.js";
import { counted, valueText } from "../core/format.js";
import { markdown } from "../core/markdown.js";
import { button } from "../core/parts.js";
import { isWaiting } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("./state.js").Card} Card */

/** @param {Desk} desk @param {Request} request @param {Card} card */
export function approvalBody(desk, request, card) {
  if (request.draft && !request.tool) return draftBody(desk, request, card);
  const entries = Object.entries(request.args ?? {});
  if (!entries.length) return h("p", { class: "quiet" }, "It takes no arguments.");
  const editing = isWaiting(request) && card.mode === "edit";
  return h(
    "div",
    { class: "args", role: "group", "aria-label": `Arguments of ${request.tool ?? "the call"}` },
    entries.map(([name, value]) => (editing ? editArg(desk, request, card, name, value) : showArg(name, value))),
  );
}

/** @param {string} name @param {unknown} value */
function showArg(name, value) {
  const text = typeof value === "boolean" ? (value ? "yes" : "no") : valueText(value);
  return h(
    "div",
    { class: `arg${text.length > 34 ? " arg--wide" : ""}`, key: name },
    h("span", { class: "arg-label" }, h("code", null, name), h("span", { class: "arg-type" }, typeWord(value))),
    h("span", { class: "arg-value" }, text),
  );
}

/** @param {Desk} desk @param {Request} request @param {Card} card @param {string} name @param {unknown} value */
function editArg(desk, request, card, name, value) {
  const id = `arg-${request.id}-${name}`;
  const was = valueText(value);
  const text = card.args[name] ?? was;
  const changed = text !== was;
  const input = (/** @type {any} */ event) => {
    card.args[name] = event.target.value;
    desk.changed();
  };
  return h(
    "div",
    { class: `arg${changed ? " arg--edited" : ""}${was.length > 34 ? " arg--wide" : ""}`, key: name },
    h("label", { for: id }, h("code", null, name), h("span", { class: "arg-type" }, typeWord(value))),
    typeof value === "boolean"
      ? h(
          "select",
          { class: "input", id, value: text, onchange: input },
          h("option", { value: "true", selected: text === "true" }, "yes"),
          h("option", { value: "false", selected: text === "false" }, "no"),
        )
      : h("input", {
          class: "input",
          id,
          value: text,
          inputmode: typeof value === "number" ? "decimal" : undefined,
          oninput: input,
        }),
    changed && h("span", { class: "arg-was" }, h("del", null, was), " to ", h("ins", null, text)),
  );
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function draftBody(desk, request, card) {
  const text = draftText(desk, request);
  if (card.mode !== "edit" || !isWaiting(request)) return h("div", { class: "draft-text" }, markdown(text));
  return h(
    "div",
    { class: "field" },
    h("label", { for: `draft-${request.id}` }, "Text that is sent"),
    h("textarea", {
      class: "input",
      id: `draft-${request.id}`,
      rows: 5,
      value: card.args.draft ?? text,
      oninput: (/** @type {any} */ event) => {
        card.args.draft = event.target.value;
        desk.changed();
      },
    }),
  );
}

/** The draft names its message, which holds the words. @param {Desk} desk @param {Request} request */
function draftText({ state }, request) {
  const message = state.conversations.get(request.thread)?.messages.get(request.draft ?? "");
  return message?.text ?? request.draft ?? "";
}

/** @param {unknown} value */
function typeWord(value) {
  if (Array.isArray(value)) return "list";
  if (value === null) return "nothing";
  return (
    { string: "text", number: "number", boolean: "yes or no", object: "object" }[/** @type {"string"} */ (typeof value)] ?? ""
  );
}

/** @param {Request} request @param {Card} card @returns {Record<string, unknown>} */
function editedArgs(request, card) {
  return Object.fromEntries(
    Object.entries(request.args ?? {}).map(([name, value]) => {
      const text = card.args[name];
      if (text === undefined || text === valueText(value)) return [name, value];
      if (typeof value === "string") return [name, text];
      try {
        return [name, JSON.parse(text)];
      } catch {
        return [name, text];
      }
    }),
  );
}

/** A button names its effect. @param {Desk} desk @param {Request} request @param {Card} card */
export function approvalFooter(desk, request, card) {
  const { verbs } = desk;
  const isDraft = Boolean(request.draft && !request.tool);
  const changes = isDraft
    ? Number((card.args.draft ?? draftText(desk, request)) !== draftText(desk, request))
    : Object.entries(request.args ?? {}).filter(
        ([name, value]) => card.args[name] !== undefined && card.args[name] !== valueText(value),
      ).length;
  if (card.mode === "edit") {
    const body = isDraft ? { text: card.args.draft ?? draftText(desk, request) } : { args: editedArgs(request, card) };
    const words = changes ? `Approve with ${counted(changes, "change")}` : "Approve";
    return h(
      "footer",
      { class: "request-footer", key: "edit" },
      button(words, () => (changes ? verbs.decide(request, "edit", body) : verbs.decide(request, "approve")), {
        look: "primary",
        disabled: card.busy,
      }),
      button("Undo changes", () => {
        card.args = {};
        desk.mode(request, "");
      }),
    );
  }
  return h(
    "footer",
    { class: "request-footer", key: "ways" },
    button("Approve", () => verbs.decide(request, "approve"), { look: "primary", keys: "a", disabled: card.busy }),
    !request.approval && button("Edit", () => desk.mode(request, "edit"), { keys: "e", disabled: card.busy }),
    button("Reject…", () => desk.mode(request, "reject"), { keys: "r", disabled: card.busy }),
    !isDraft && button("Respond instead…", () => desk.mode(request, "respond"), { look: "plain", disabled: card.busy }),
  );
}
