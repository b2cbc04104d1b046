// Screens, inbox: what came of a request: who decided it, when and how, what was changed, and how far it has got.

import { diffView } from "../core/diff.js";
import { h } from "../core/dom.js";
import { capital, clock, firstName, ms, shorten, valueText } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { rootOf } from "./approval.js";
import { formOf } from "./question.js";
import { change } from "./fields.js";
import { leaves } from "./schema.js";
import { cardWords } from "./state.js";
import { partOf, readable } from "./typed.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Request} Request */
/** @typedef {import("../core/types.js").Decision} Decision */

const VERBS = /** @type {Record<string, string>} */ ({
  answer: "answered",
  decline: "declined",
  approve: "approved",
  edit: "approved with changes",
  reject: "rejected",
  respond: "answered instead of running it",
  take_over: "took over",
});

/** Channels that go without saying. */
const QUIET = new Set(["", "inbox", "api", "http", "python", "import"]);

/** @param {Desk} desk @param {Request} request */
export function closedView(desk, request) {
  const { state } = desk;
  const card = state.cards.get(request.id);
  const decision = request.decision;
  const by = decision?.by;
  const mine = by?.id !== undefined && by.id === state.me?.id;
  const lost = Boolean(card?.lost) && !mine;
  return h(
    "div",
    { class: `decided${lost ? " decided--lost" : ""}`, key: "closed", role: lost ? "alert" : "status" },
    by && request.state !== "expired" ? avatar("operator", by.name, { size: "small" }) : icon("info", true),
    h(
      "div",
      { class: "decided-lines" },
      by && decision && request.state !== "expired"
        ? decisionLine(request, decision, mine, lost)
        : h("p", null, undecided(request)),
      decision && details(request, decision),
      outcomeLine(desk, request),
      request.first_approval &&
        decision &&
        h("p", { class: "quiet" }, `${request.first_approval.by.name} approved it first, ${clock(request.first_approval.at)}.`),
    ),
  );
}

/** @param {Request} request @param {Decision} decision @param {boolean} mine @param {boolean} lost */
function decisionLine(request, decision, mine, lost) {
  const who = mine ? "You" : decision.by.name;
  const verb =
    request.draft && decision.kind === "approve"
      ? "sent it"
      : request.draft && decision.kind === "edit"
        ? "sent it with changes"
        : (VERBS[decision.kind] ?? "decided this");
  const said = [decision.value, decision.text, decision.reason].find((one) => one !== undefined && one !== null && one !== "");
  const quoted = said !== undefined && decision.kind !== "edit" && !(decision.kind === "answer" && typeof said === "object");
  return h(
    "p",
    null,
    lost && h("strong", null, "Somebody was faster. "),
    h("strong", null, `${who} ${verb}`),
    quoted && [" ", `“${readableAnswer(request, said)}”`],
    `, ${clock(decision.at)}`,
    QUIET.has(decision.channel ?? "") ? "" : ` over ${decision.channel}`,
    ".",
  );
}

/** @param {Request} request @param {unknown} value */
function readableAnswer(request, value) {
  const root = formOf(request);
  return shorten(root && request.decision?.kind === "answer" ? readable(root, value) : valueText(value), 600);
}

/** What was changed or filled in, and what the AI was told about it. @param {Request} request @param {Decision} decision */
function details(request, decision) {
  const { args, text, value, review } = decision;
  return [
    decision.kind === "edit" && args && changes(request, args),
    decision.kind === "edit" && text && h("div", { class: "draft-diff" }, diffView(request.suggestion ?? "", text)),
    decision.kind === "answer" && value !== null && typeof value === "object" && filled(request, value),
    review && h("p", null, "Review: ", h("q", null, review)),
  ];
}

/** @param {Request} request @param {Record<string, unknown>} args */
function changes(request, args) {
  const root = rootOf({ ...request, args: { ...args, ...request.args } });
  const fields = leaves(root).filter(
    (one) => JSON.stringify(partOf(root, request.args, one)) !== JSON.stringify(partOf(root, args, one)),
  );
  return h(
    "ul",
    { class: "decided-changes" },
    fields.map((field) =>
      h(
        "li",
        { key: field.path },
        h("code", null, field.path.slice("args.".length)),
        change(field, partOf(root, request.args, field), partOf(root, args, field)),
      ),
    ),
  );
}

/** @param {Request} request @param {any} value */
function filled(request, value) {
  const root = formOf(request);
  if (!root || root.kind !== "object") return h("pre", { class: "decided-json" }, valueText(value));
  return h(
    "dl",
    { class: "decided-values" },
    leaves(root)
      .filter((field) => partOf(root, value, field) !== undefined)
      .map((field) =>
        h("div", { key: field.path }, h("dt", null, field.label), h("dd", null, readable(field, partOf(root, value, field)))),
      ),
  );
}

/** @param {Request} request */
function undecided(request) {
  const at = clock(request.updated_at);
  switch (request.state) {
    case "expired": {
      const then = {
        deny: "so it was denied",
        approve: "so it was approved",
        default: `so the answer was: ${shorten(valueText(request.default ?? request.decision?.value ?? ""), 120)}`,
      }[request.on_expiry ?? ""];
      return `Nobody decided in time${then ? `, ${then}` : ""}, ${at}.`;
    }
    case "superseded":
      return request.draft
        ? `A newer draft took its place, ${at}.`
        : `The conversation went on without it, ${at}: it is not run.`;
    case "cancelled":
      return `Withdrawn, ${at}: nobody has to decide it any more.`;
    default:
      return `This is ${request.state.replace("_", " ")}, ${at}.`;
  }
}

/** How far it has got since. @param {Desk} desk @param {Request} request */
function outcomeLine(desk, request) {
  const yes = ["approve", "edit"].includes(request.decision?.kind ?? "") && !request.draft && request.kind === "approval";
  const result = resultOf(desk, request);
  // Beside an edit the result names who changed the arguments; else only who settled what was in doubt.
  const settled =
    result?.by && !result.args && yes ? ` ${result.by.id === desk.state.me?.id ? "You" : result.by.name} looked.` : "";
  const words = result && shorten(valueText(result.reason ?? result.output ?? ""), 300);
  switch (request.state) {
    case "decided":
      if (!yes) return h("p", { class: "quiet" }, "It is being passed on.");
      return h(
        "p",
        { class: "quiet" },
        request.approval && !request.run ? "Waiting for the program that asked to run it." : "Waiting to run.",
      );
    case "applying":
      return h("p", { class: "quiet" }, "Running now.");
    case "failed": {
      const what = result?.denied ? "" : yes ? "It ran and failed" : "It failed";
      return h(
        "p",
        { class: "decided-failed" },
        icon("info", true),
        h("span", null, what ? (words ? `${what}: ${words}.` : `${what}.`) : `${capital(words || "it did not run")}.`, settled),
      );
    }
    case "applied":
      return yes && h("p", { class: "quiet" }, words ? `It ran: ${words}` : "It ran.", words && settled ? "." : "", settled);
    default:
      return null;
  }
}

/** @param {Desk} desk @param {Request} request */
function resultOf({ state }, request) {
  const message = state.conversations.get(request.thread)?.messages.get(request.outcome ?? "");
  return message?.parts?.find((one) => one.type === "tool_result" && one.call_id === request.call_id) ?? null;
}

/** The loser's own words stay until they drop them. @param {Desk} desk @param {Request} request */
export function ownWords(desk, request) {
  const card = desk.state.cards.get(request.id);
  const text = card?.lost ? cardWords(card) : "";
  if (!text) return null;
  return h(
    "footer",
    { class: "request-footer", key: "own" },
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

/** @param {Request} request @param {string | undefined} me */
export function standing(request, me) {
  const name = request.decision?.by ? (request.decision.by.id === me ? "you" : firstName(request.decision.by.name)) : "";
  switch (request.state) {
    case "decided":
    case "applied":
      return name ? `decided by ${name}` : "decided";
    case "applying":
      return "running";
    case "failed":
      return "failed";
    case "in_doubt":
      return `in doubt since ${clock(ms(request.updated_at))}`;
    default:
      return request.state;
  }
}
