// Screens, inbox: what is special about approvals of a call: its exact arguments, and changes in sight before they are approved.

import { h } from "../core/dom.js";
import { clock, counted, firstName } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { argsView, fieldsView } from "./fields.js";
import { mayDecide, onIt, onSend, reasonFooter, reviewField } from "./reason.js";
import { fieldOfArgs, leaves } from "./schema.js";
import { changesOf, read } from "./typed.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("./state.js").Card} Card */

/** @type {import("./ways.js").Way} */
export const approval = {
  body(desk, _thread, request, card) {
    const editing = card.mode === "edit" && editable(request);
    return [
      first(desk, request),
      argsBox(desk, request, editing ? card : null),
      editing && reviewField(desk, request, card, () => approveEdited(desk, request, card)),
    ];
  },
  footer(desk, _thread, request, card) {
    if (card.mode === "reject") {
      return reasonFooter(desk, request, card, {
        label: "Reason for the AI, optional",
        verb: "Reject",
        placeholder: "It is not run; the AI is told why",
        send: (text) => void desk.verbs.decide(request, "reject", text ? { reason: text } : {}),
      });
    }
    if (card.mode === "respond") {
      return reasonFooter(desk, request, card, {
        label: "Your answer instead of running it",
        verb: "Respond",
        needed: true,
        placeholder: "The AI takes it as the result of the call",
        send: (text) => void desk.verbs.decide(request, "respond", { value: text }),
      });
    }
    const may = mayDecide(desk, request) && !card.busy;
    const bar = barred(desk, request);
    const approving = may && !bar;
    if (card.mode === "edit" && editable(request)) {
      const changes = changesOf(rootOf(request), card.form, proposed(request)).length;
      return h(
        "footer",
        { class: "request-footer", key: "edit" },
        button(changes ? `Approve with ${counted(changes, "change")}` : "Approve", () => approveEdited(desk, request, card), {
          look: "primary",
          keys: "Ctrl ↵",
          disabled: !approving,
        }),
        button(changes ? "Undo changes" : "Back", () => undo(desk, request, card), { look: changes ? "" : "plain" }),
      );
    }
    return h(
      "footer",
      { class: "request-footer", key: "ways" },
      button("Approve", () => approve(desk, request), { look: "primary", keys: "a", disabled: !approving }),
      editable(request) && button("Edit", () => desk.mode(request, "edit"), { keys: "e", disabled: !approving }),
      button("Reject…", () => desk.mode(request, "reject"), { keys: "r", disabled: !may }),
      button("Respond instead…", () => desk.mode(request, "respond"), { look: "plain", disabled: !may }),
      onIt(desk, request, bar || (ownRun(request) ? "The program that asked runs it" : alone(request))),
    );
  },
  press(desk, request, card, key) {
    if (key === "r") desk.mode(request, "reject");
    else if (key === "e") editable(request) && !barred(desk, request) && desk.mode(request, "edit");
    else if (card.mode === "edit") approveEdited(desk, request, card);
    else if (card.mode) desk.mode(request, "");
    else approve(desk, request);
  },
};

/** @param {Desk} desk @param {Request} request the arguments as they are, or on a card where they are changed @param {Card | null} card */
function argsBox(desk, request, card) {
  const root = rootOf(request);
  if (!root.fields.length) return h("p", { class: "quiet", key: "args" }, "It takes no arguments.");
  const was = proposed(request);
  return h(
    "div",
    {
      class: "args",
      role: "group",
      "aria-label": `Arguments of ${request.tool ?? "the call"}`,
      key: "args",
      onkeydown: card ? onSend(() => approveEdited(desk, request, card)) : undefined,
    },
    card
      ? fieldsView({ desk, id: request.id, card, root, was, code: true })
      : argsView(root, request.decision?.args ?? was, request.args ?? {}),
    card?.problems.args && h("p", { class: "field-error arg--wide", role: "alert" }, icon("info", true), card.problems.args),
  );
}

/** The arguments of a request that is closed. @param {Desk} desk @param {Request} request */
export const closedArgs = (desk, request) => argsBox(desk, request, null);

/** What would run now: the first of two may have changed it. @param {Request} request @returns {Record<string, unknown>} */
const proposed = (request) => request.first_approval?.args ?? request.args ?? {};

/** @param {Request} request */
export const rootOf = (request) => fieldOfArgs(request.args_schema, { ...request.args, ...request.first_approval?.args });

/** A program that runs the call itself runs it as it stored it; and numbers that do not fit the browser stay as they are. @param {Request} request */
function editable(request) {
  return !ownRun(request) && leaves(rootOf(request)).length > 0 && exact(request.args);
}

/** Whether the program that asked runs the call itself. @param {Request} request */
const ownRun = (request) => Boolean(request.approval && !request.run);

/** @param {Request} request */
const alone = (request) => ((request.approvers ?? 1) > 1 && !request.first_approval ? "Two people have to approve it" : "");

/** @param {unknown} value @returns {boolean} */
function exact(value) {
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  return value === null || typeof value !== "object" || Object.values(value).every(exact);
}

/** Whether this operator has approved already. @param {Desk} desk @param {Request} request */
const mine = (desk, request) => Boolean(request.first_approval) && request.first_approval?.by.id === desk.state.me?.id;

/** Why this operator may not be the one who approves. @param {Desk} desk @param {Request} request */
function barred(desk, request) {
  if (mine(desk, request)) return "You have approved: a second person has to";
  if (request.self_approval === false && request.caused_by && request.caused_by === desk.state.me?.id)
    return "You caused this call: somebody else has to approve it";
  return "";
}

/** @param {Desk} desk @param {Request} request */
function first(desk, request) {
  const one = request.first_approval;
  if (!one) return null;
  const me = mine(desk, request);
  return h(
    "p",
    { class: "request-first", key: "first", id: `first-${request.id}` },
    avatar("operator", one.by.name, { size: "small" }),
    h(
      "span",
      null,
      h("strong", null, me ? "You have approved" : `${firstName(one.by.name)} has approved`),
      one.args ? " with changes" : "",
      me
        ? `, ${clock(one.at)}. A second person has to, so you cannot approve it again.`
        : `, ${clock(one.at)}; a second person has to.`,
    ),
  );
}

/** @param {Desk} desk @param {Request} request */
function approve(desk, request) {
  if (barred(desk, request) || !mayDecide(desk, request)) return;
  const shown = request.first_approval?.args ? request.first_approval.args_digest : request.args_digest;
  void desk.verbs.decide(request, "approve", shown ? { args_digest: shown } : {});
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function approveEdited(desk, request, card) {
  if (barred(desk, request) || !mayDecide(desk, request)) return;
  const root = rootOf(request);
  card.problems = {};
  const args = read(root, card.form, proposed(request), card.problems);
  const wrong = leaves(root).find((leaf) => card.problems[leaf.path]);
  const review = card.review.trim() ? { review: card.review.trim() } : {};
  if (wrong) {
    desk.changed();
    desk.focus(`field:${request.id}-${wrong.path}`);
  } else if (changesOf(root, card.form, proposed(request)).length) void desk.verbs.decide(request, "edit", { args, ...review });
  else void desk.verbs.decide(request, "approve", review);
}

/** @param {Desk} desk @param {Request} request @param {Card} card */
function undo(desk, request, card) {
  Object.assign(card, { form: {}, problems: {}, error: "" });
  desk.mode(request, "");
}
