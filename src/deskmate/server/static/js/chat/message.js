// Screens, chat: one message as the customer sees it: their own, a person's, the AI's, or a word of the desk itself.

import { h } from "../core/dom.js";
import { clock, firstName } from "../core/format.js";
import { icon } from "../core/icons.js";
import { markdown, streaming as written } from "../core/markdown.js";
import { avatar, timeOf } from "../core/parts.js";

/** @typedef {import("./main.js").Chat} Chat */
/** @typedef {import("../core/types.js").Message} Message */
/** @typedef {import("./state.js").Sending} Sending */

/**
 * @param {Message} message @param {string | null} streamed @param {(message: Message) => any} files draws those of a message
 * @param {(message: Message) => any} thumbs draws what the visitor may say of it
 */
export function messageView(message, streamed, files, thumbs) {
  const { author } = message;
  const text = streamed ?? message.text;
  if (author.kind === "system")
    return h("p", { class: "activity activity--said", id: `message-${message.id}` }, text, " ", timeOf(message.created_at));
  if (author.kind === "customer") {
    return h(
      "article",
      { class: "message message--own", id: `message-${message.id}`, "aria-label": `You, ${clock(message.created_at)}` },
      h("header", { class: "message-meta" }, "You ", timeOf(message.created_at)),
      h("div", { class: "message-body" }, markdown(text), files(message)),
    );
  }
  const person = author.kind === "operator";
  const name = person ? `${firstName(author.name)}, from the team` : author.name || "Support AI";
  const streaming = message.status === "pending";
  const cut = message.status === "failed";
  const blocks = streaming ? written(text) : markdown(text);
  return h(
    "article",
    {
      class: `message message--${person ? "operator" : "agent"}${cut ? " message--cut" : ""}`,
      id: `message-${message.id}`,
      "aria-label": `${name}${person ? "" : ", an AI"}${streaming ? ", is writing" : ""}`,
      "aria-busy": streaming ? "true" : undefined,
      "aria-live": streaming ? "off" : undefined,
    },
    avatar(person ? "operator" : "agent", author.name),
    h(
      "header",
      { class: "message-meta" },
      !person && h("span", { class: "badge badge--agent" }, "AI"),
      h("span", { class: "message-author" }, name),
      streaming ? "writes" : timeOf(message.created_at),
      cut && "stopped here",
    ),
    h("div", { class: "message-body" }, blocks, files(message)),
    thumbs(message),
  );
}

/** A person of the team types. @param {string} name */
export function typing(name) {
  return h(
    "p",
    { class: "activity typing-now", role: "status", key: "typing" },
    h("span", { class: "thinking thinking--person", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    `${name} is typing…`,
  );
}

/** @param {string} agent */
export function thinking(agent) {
  return h(
    "article",
    { class: "message message--agent", "aria-label": `${agent}, an AI, is about to write`, key: "thinking" },
    avatar("agent", agent),
    h(
      "div",
      { class: "message-body thinking" },
      h("span", { class: "sr" }, `${agent} is about to write`),
      h("i"),
      h("i"),
      h("i"),
    ),
  );
}

/** @param {Chat} chat @param {Sending} sending */
export function sendingView(chat, sending) {
  const failed = sending.state === "failed";
  const words = failed ? "not sent" : sending.error ? "waits for the connection" : "sending…";
  return h(
    "article",
    {
      class: `message message--own${failed ? " message--failed" : " message--sending"}`,
      "aria-label": failed ? "You, not sent" : "You, sending",
      key: `sending:${sending.key}`,
    },
    h(
      "header",
      { class: "message-meta" },
      "You",
      h("span", { class: "message-state" }, icon(failed ? "info" : "clock", true), words),
      failed && h("button", { type: "button", class: "link", onclick: () => chat.retry(sending) }, "Retry"),
      failed && h("button", { type: "button", class: "link", onclick: () => chat.discard(sending) }, "Discard"),
    ),
    h(
      "div",
      { class: "message-body" },
      markdown(sending.text),
      (sending.files ?? []).length > 0 &&
        h(
          "ul",
          { class: "files" },
          sending.files?.map((one) => h("li", null, h("span", { class: "file-chip" }, icon("file", true), one.name))),
        ),
    ),
    failed && sending.error && h("p", { class: "field-error", role: "alert" }, sending.error),
  );
}
