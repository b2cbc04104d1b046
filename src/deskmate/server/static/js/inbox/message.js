// Screens, inbox: one entry of the timeline: what people, agents and the system said, and what tools did.

import { h } from "../core/dom.js";
import { clock, firstName, valueText } from "../core/format.js";
import { filesView } from "../core/files.js";
import { icon } from "../core/icons.js";
import { markdown, streaming as written } from "../core/markdown.js";
import { avatar, timeOf } from "../core/parts.js";
import { withMentions } from "./mentions.js";

/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("../core/types.js").Part} Part */
/** @typedef {import("./state.js").Sending} Sending */

/**
 * @param {Message} message @param {string | null} streamed its text so far, while it streams
 * @param {string} me @param {string} customer @param {import("../core/types.js").Operator[]} [team] whom notes may mention
 * @param {any} [ratings] what was said of it
 */
export function messageView(message, streamed, me, customer, team = [], ratings = null) {
  const { author, visibility } = message;
  if (author.kind === "system" || message.role === "system") return systemLine(message);
  const mine = author.kind === "operator" && author.id === me;
  const name = mine ? "You" : author.name || (author.kind === "customer" ? customer : "AI");
  const text = streamed ?? message.text;
  const streaming = message.status === "pending";
  const blocks = streaming ? written(text) : markdown(text);
  const body = [visibility === "note" ? withMentions(blocks, team, me) : blocks, filesView(message)];
  if (visibility === "note") return note(message, name, streaming, body);
  const kind = author.kind === "service" ? "agent" : author.kind;
  const state = streaming ? "writes now" : message.status === "failed" ? failure(message) : "";
  const draft = visibility === "draft";
  const label = [name, kind === "customer" ? "customer" : "", draft ? "draft, not sent" : "", state, clock(message.created_at)]
    .filter(Boolean)
    .join(", ");
  const cut = message.status === "failed" ? " message--cut" : "";
  return h(
    "article",
    {
      class: `message message--${kind}${draft ? " message--draft" : ""}${cut}`,
      id: `message-${message.id}`,
      "aria-label": label,
      "aria-busy": streaming ? "true" : undefined,
      "aria-live": streaming ? "off" : undefined,
    },
    avatar(kind, author.name || customer),
    h(
      "header",
      { class: "message-meta" },
      kind === "agent" && h("span", { class: "badge badge--agent" }, author.kind === "service" ? "Service" : "AI"),
      kind === "operator" && !mine && h("span", { class: "badge badge--operator" }, "Team"),
      draft && h("span", { class: "kind kind--draft" }, icon("draft"), "Draft, not sent"),
      h("span", { class: "message-author" }, name),
      timeOf(message.created_at),
      state && h("span", { class: "message-state" }, state),
    ),
    h("div", { class: `message-body${cut ? " quiet" : ""}` }, body),
    ratings,
  );
}

/** @param {Message} message */
function failure(message) {
  if (message.error === "taken_over") return "cut off when a person took over";
  return message.error ? `failed: ${message.error}` : "failed";
}

/** @param {Message} message @param {string} name @param {boolean} streaming @param {any} body */
function note(message, name, streaming, body) {
  const byAgent = message.author.kind === "agent";
  return h(
    "article",
    {
      class: `note${byAgent ? " note--agent" : ""}`,
      id: `message-${message.id}`,
      "aria-label": `Note by ${name}, only operators see it, ${clock(message.created_at)}`,
      "aria-busy": streaming ? "true" : undefined,
    },
    h(
      "header",
      { class: "note-meta" },
      icon("lock", true),
      "Note, only operators see it ·",
      byAgent && h("span", { class: "badge badge--agent" }, "AI"),
      h("b", null, name),
      timeOf(message.created_at),
    ),
    h("div", { class: "note-body" }, body),
  );
}

/** Long texts of the system, such as what an agent was told at the start, are folded. @param {Message} message */
function systemLine(message) {
  // Customers read what the system itself says in public, never what an agent is told.
  const hidden = message.visibility === "note" || message.author.kind !== "system";
  const lock =
    hidden && h("span", { role: "img", "aria-label": "Only operators see this", class: "row-lock" }, icon("lock", true));
  if (hidden || message.text.length > 320) {
    return h(
      "details",
      { class: "system-fold", id: `message-${message.id}` },
      h(
        "summary",
        null,
        icon("info", true),
        lock,
        h("span", null, hidden ? "What the AI was told" : "System message"),
        timeOf(message.created_at),
        icon("down", true),
      ),
      h("div", { class: "system-text" }, message.text),
    );
  }
  return h(
    "p",
    { class: "activity activity--said", id: `message-${message.id}` },
    lock,
    h("span", null, message.text),
    " ",
    timeOf(message.created_at),
  );
}

/**
 * A tool call, folded, with its arguments and what came of it.
 * @param {Part} call @param {Part | undefined} result @param {Message} message
 */
export function toolCall(call, result, message) {
  const outcome = result?.denied
    ? "denied"
    : result?.is_error
      ? "failed"
      : result
        ? "done"
        : message.status === "failed"
          ? "stopped"
          : "no result yet";
  return h(
    "details",
    { class: `tool-call${result?.is_error || result?.denied ? " tool-call--failed" : ""}` },
    h(
      "summary",
      null,
      icon("tool", true),
      h("span", null, result ? "Called" : "Calls"),
      h("code", { class: "truncate" }, call.tool),
      h("span", { class: "quiet" }, outcome),
      icon("down", true),
    ),
    h(
      "dl",
      null,
      h("div", null, h("dt", null, "Arguments"), h("dd", null, h("pre", null, valueText(call.input)))),
      result &&
        h(
          "div",
          null,
          h("dt", null, result.by ? `Result, by ${firstName(result.by.name)}` : "Result"),
          h("dd", null, h("pre", null, result.reason ?? resultText(result.output))),
        ),
    ),
  );
}

/** Tools often give JSON back as one line of text: it is shown in lines, each sign of it as it came. @param {unknown} output */
function resultText(output) {
  const text = valueText(output);
  if (typeof output !== "string" || !/^\s*[[{]/.test(output)) return text;
  try {
    JSON.parse(output);
  } catch {
    return text;
  }
  let depth = 0;
  const next = () => `\n${"  ".repeat(Math.min(depth, 20))}`;
  return (text.match(/"(?:\\.|[^"\\])*"|[[{]\s*[\]}]|[[\]{},:]|[^\s[\]{},:"]+/g) ?? []).reduce((lines, sign) => {
    if (sign === "{" || sign === "[") depth += 1;
    if (sign === "}" || sign === "]") depth -= 1;
    if (sign === "{" || sign === "[" || sign === ",") return `${lines}${sign}${next()}`;
    if (sign === "}" || sign === "]") return `${lines}${next()}${sign}`;
    return `${lines}${sign}${sign === ":" ? " " : ""}`;
  }, "");
}

/** One's own words on their way, or stuck. @param {Sending} sending @param {string} name @param {() => void} retry @param {() => void} edit @param {() => void} drop */
export function sendingView(sending, name, retry, edit, drop) {
  const failed = sending.state === "failed";
  const state = h(
    "span",
    { class: "message-state" },
    icon(failed ? "info" : "clock", true),
    failed ? `not sent: ${sending.error}` : "sending…",
  );
  /** @type {[string, () => void][]} */
  const all = [
    ["Retry", retry],
    ["Edit", edit],
    ["Discard", drop],
  ];
  const ways = failed && all.map(([label, act]) => h("button", { type: "button", class: "link", onclick: act }, label));
  if (sending.visibility === "note") {
    return h(
      "article",
      {
        class: `note${failed ? " message--failed" : ""}`,
        "aria-label": failed ? "Your note, not saved" : "Your note, being saved",
      },
      h("header", { class: "note-meta" }, icon("lock", true), h("b", null, "You"), state, ways),
      h("div", { class: "note-body" }, markdown(sending.text), sendingFiles(sending)),
    );
  }
  return h(
    "article",
    {
      class: `message message--operator${failed ? " message--failed" : " message--sending"}`,
      "aria-label": failed ? "You, not sent" : "You, sending",
    },
    avatar("operator", name),
    h("header", { class: "message-meta" }, h("span", { class: "message-author" }, "You"), state, ways),
    h("div", { class: "message-body" }, markdown(sending.text), sendingFiles(sending)),
  );
}

/** @param {Sending} sending */
function sendingFiles({ files }) {
  if (!files.length) return null;
  return h(
    "ul",
    { class: "files" },
    files.map((one) =>
      h("li", null, h("span", { class: "file-chip" }, icon("file", true), h("span", { class: "truncate" }, one.name))),
    ),
  );
}
