// Screens, chat: what the customer sees. Who speaks is always named, and a person is always in reach.

import { h, memo } from "../core/dom.js";
import { dayLabel, firstName, ms, sameDay } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, broken, button, iconButton } from "../core/parts.js";
import { attachButton, attachmentChips, filesIn } from "../core/uploads.js";
import { messageView, sendingView, thinking, typing } from "./message.js";
import { agentName, aiThinks, inOrder, personName, waitsForPerson } from "./state.js";
import { waiting } from "./waiting.js";

/** @typedef {import("./main.js").Chat} Chat */

const ASK_FOR_PERSON = "I would like to talk to a person.";
const PATIENCE = 1500;

/** @param {Chat} chat */
export function view(chat) {
  return h("main", { class: "chat", "aria-label": "Chat", key: "chat" }, header(chat), banner(chat), log(chat), composer(chat));
}

/** @param {Chat} chat */
function header(chat) {
  const { state } = chat;
  const person = personName(state);
  const queued = state.thread?.assignment.to === "queue";
  const who = person ? `${person}, from the team` : queued ? "The team" : agentName(state);
  const words =
    state.thread?.status === "resolved"
      ? "This conversation is closed. Write to open it again."
      : person
        ? `${person}, from the team, is answering`
        : queued
          ? "A person will answer here"
          : `${agentName(state)} is answering`;
  return h(
    "header",
    { class: "chat-header" },
    person
      ? avatar("operator", state.thread?.assignment.name)
      : queued
        ? h("span", { class: "avatar avatar--operator", "aria-hidden": "true" }, icon("team"))
        : avatar("agent", who),
    h("div", { class: "grow" }, h("h1", null, "Support"), h("p", { id: "who-answers", role: "status" }, words)),
    button("Talk to a person", () => chat.send(ASK_FOR_PERSON, { person: true }), {
      icon: "person",
      id: "talk-to-a-person",
      disabled: queued || person !== null || state.outbox.some((one) => one.person),
    }),
  );
}

/** @param {Chat} chat */
function banner(chat) {
  const { connection, thread, outbox } = chat.state;
  const down = connection.state === "offline" && thread && Date.now() - connection.since > PATIENCE;
  if (connection.state === "offline" && !down) setTimeout(chat.changed, PATIENCE);
  const stuck = outbox.some((one) => one.state === "waiting" && one.error);
  if (!down && !stuck) return null;
  return h(
    "div",
    { class: "banner banner--offline", role: "status", key: "banner" },
    icon("offline"),
    h("span", { class: "grow" }, h("strong", null, "No connection."), " What you write is sent as soon as you are back."),
    button("Try now", chat.retryConnection, { look: "small" }),
  );
}

/** @param {Chat} chat */
function log(chat) {
  const { state } = chat;
  if (state.phase === "broken") return broken("The conversation", /** @type {any} */ ({ message: state.problem }), chat.reload);
  return h(
    "div",
    { class: "chat-log", id: "chat-log", tabindex: "0", role: "region", "aria-label": "Conversation", key: "log" },
    h(
      "div",
      {
        class: "timeline-inner",
        role: "log",
        "aria-label": "Messages",
        "aria-live": "polite",
        "aria-relevant": "additions",
        "aria-busy": state.phase === "loading" ? "true" : "false",
      },
      state.cursor &&
        h(
          "div",
          { class: "older", key: "older" },
          button(state.loadingOlder ? "Loading…" : "Earlier messages", chat.loadOlder, {
            look: "small",
            disabled: state.loadingOlder,
          }),
        ),
      !state.cursor && welcome(state.phase === "loading", agentName(state)),
      messages(chat),
      state.outbox.map((sending) => sendingView(chat, sending)),
      aiThinks(state) && !state.outbox.length && thinking(agentName(state)),
      waitsForPerson(state) && waiting(chat),
      state.typing.length > 0 && typing(state.typing.map((one) => firstName(one.name) || "Somebody").join(" and ")),
    ),
  );
}

/** The AI says what it is before anybody asks. @param {boolean} loading @param {string} agent */
function welcome(loading, agent) {
  if (loading) return h("p", { class: "activity", key: "loading", role: "status" }, "Loading your conversation…");
  return h(
    "article",
    { class: "message message--agent", "aria-label": `${agent}, an AI`, key: "welcome" },
    avatar("agent", agent),
    h(
      "header",
      { class: "message-meta" },
      h("span", { class: "badge badge--agent" }, "AI"),
      h("span", { class: "message-author" }, agent),
    ),
    h(
      "div",
      { class: "message-body" },
      h(
        "p",
        null,
        "Hello. I am an AI and answer right away. What I am not sure about goes to a person of the team, and you can ask for one at any time.",
      ),
    ),
  );
}

/** @param {import("../core/types.js").Message} message */
const hasFiles = (message) => (message.parts ?? []).some((part) => part.type === "file");

/** @param {Chat} chat */
function messages({ state, contents, ratings }) {
  const out = [];
  let before = Number.NaN;
  for (const message of inOrder(state)) {
    const at = ms(message.created_at);
    if (!sameDay(at, before)) {
      out.push(h("div", { class: "day-line", key: `day:${new Date(at).toDateString()}` }, dayLabel(at, state.now)));
      before = at;
    }
    const streamed = state.streams.get(message.id)?.text ?? null;
    // Said aloud once, when it is complete: the finished message is a new element.
    out.push(
      memo(
        `${message.id}:${message.status === "pending"}`,
        [message, streamed, hasFiles(message) && contents.version(), ratings.of(message.id)],
        () => messageView(message, streamed, contents.view, ratings.view),
      ),
    );
  }
  return out;
}

/** @param {Chat} chat */
function composer(chat) {
  const { state } = chat;
  const onTheirWay = state.files.filter((one) => one.state === "sending").length;
  const ready = Boolean(state.text.trim()) || state.files.some((one) => one.state === "done");
  const take = (/** @type {File[]} */ given) => {
    if (given.length) chat.attach(given);
    document.getElementById("say")?.focus();
  };
  const send = () => {
    if (onTheirWay || !(state.text.trim() || state.files.some((one) => one.state === "done"))) return;
    chat.send(state.text);
    state.text = "";
    chat.changed();
    const log = document.getElementById("chat-log");
    if (log) log.scrollTop = log.scrollHeight;
    document.getElementById("say")?.focus();
  };
  return h(
    "div",
    {
      class: "chat-composer",
      key: "composer",
      ondragover: (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
      ondrop: (/** @type {DragEvent} */ event) => {
        if (!filesIn(event.dataTransfer).length) return;
        event.preventDefault();
        take(filesIn(event.dataTransfer));
      },
    },
    state.notice && h("p", { class: "field-error", role: "alert", key: "notice" }, icon("info", true), state.notice),
    attachmentChips(state.files, chat.uploads, chat.place),
    h(
      "form",
      {
        "aria-label": "Write a message",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          send();
        },
      },
      attachButton("Attach files", take),
      h("label", { class: "sr", for: "say" }, "Message"),
      h("textarea", {
        id: "say",
        rows: 1,
        value: state.text,
        maxlength: 20000,
        placeholder: "Write a message",
        enterkeyhint: "send",
        oninput: (/** @type {any} */ event) => {
          state.text = event.target.value;
          chat.signs.typing(state.text);
          chat.changed();
        },
        onblur: () => chat.signs.stopped(),
        onpaste: (/** @type {ClipboardEvent} */ event) => {
          // Programs that copy text as a picture as well mean the text.
          if (!filesIn(event.clipboardData).length || event.clipboardData?.types.includes("text/plain")) return;
          event.preventDefault();
          take(filesIn(event.clipboardData));
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        },
      }),
      h(
        "button",
        {
          type: "submit",
          class: "button button--primary button--icon",
          id: "send",
          "aria-label": "Send",
          title: "Send",
          disabled: !ready || onTheirWay > 0,
        },
        icon("send"),
      ),
    ),
    foot(chat),
  );
}

/** @param {Chat} chat */
function foot(chat) {
  const { state } = chat;
  if (state.asking) {
    return h(
      "div",
      { class: "chat-foot", role: "alertdialog", "aria-label": "Start a new conversation?" },
      h("span", { class: "grow" }, "Start a new one? This one leaves your screen."),
      h("button", { type: "button", class: "link", onclick: () => chat.startOver() }, "Start new"),
      iconButton(
        "Keep this conversation",
        "close",
        () => {
          state.asking = false;
          chat.changed();
        },
        { look: "plain small" },
      ),
    );
  }
  return h(
    "div",
    { class: "chat-foot" },
    h("span", { class: "grow" }, "AI can be wrong. People check what matters."),
    state.thread && h("button", { type: "button", class: "link", onclick: () => void chat.transcript() }, "Transcript"),
    state.thread &&
      h(
        "button",
        {
          type: "button",
          class: "link",
          onclick: () => {
            state.asking = true;
            chat.changed();
          },
        },
        "New conversation",
      ),
  );
}
