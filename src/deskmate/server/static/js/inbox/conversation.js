// Screens, inbox: the conversation zone: header, timeline, composer, and what stands there without a thread.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { broken, empty } from "../core/parts.js";
import { composer } from "./composer.js";
import { header } from "./header.js";
import { conversationOf, openThread, works } from "./state.js";
import { jump, timeline } from "./timeline.js";
import { urlOf } from "./url.js";

/** @param {import("./main.js").Desk} desk */
export function conversation(desk) {
  const { state } = desk;
  return h(
    "main",
    { class: "conversation", id: "conversation", "aria-label": "Conversation", tabindex: "-1", key: "conversation" },
    inner(desk, state.view.thread),
  );
}

/** @param {import("./main.js").Desk} desk @param {string | null} id */
function inner(desk, id) {
  const { state, load } = desk;
  if (!id) return welcome(state.shortcuts);
  const thread = openThread(state);
  const current = conversationOf(state, id);
  if (current.error && !current.loaded) {
    if (current.error.status === 404) {
      return empty(
        "This thread is not here",
        "It may have been deleted, or the link is wrong.",
        { kind: "chat", key: "gone" },
        h(
          "a",
          { class: "button", href: urlOf({ ...state.view, thread: null }), onclick: desk.follow({ thread: null }) },
          "Back to the list",
        ),
      );
    }
    return broken("The timeline", current.error, () => load.thread(id));
  }
  if (!thread || !current.loaded) return [thread && header(desk, thread), skeleton()];
  return [header(desk, thread), timeline(desk, thread, current), jump(desk, current, thread), works(state) ? composer(desk, thread) : observing()];
}

/** In place of what they may not do, why. */
function observing() {
  return h("p", { class: "observing", key: "observing" }, icon("eye"), "You observe: you read everything here, and others write.");
}

/** @param {boolean} shortcuts */
function welcome(shortcuts) {
  const keys = [
    ["Next, previous", "j k"],
    ["Open", "Enter"],
    ["Take over", "t"],
    ["Search", "/"],
    ["All commands", "Ctrl K"],
    ["All keys", "?"],
  ];
  return empty(
    "Choose a thread",
    "What the AI cannot answer alone waits in Unassigned.",
    { key: "welcome" },
    shortcuts &&
      h(
        "dl",
        { class: "keys" },
        keys.map(([words, key]) => [
          h("dt", null, words),
          h(
            "dd",
            null,
            key.split(" ").map((one) => h("kbd", null, one)),
          ),
        ]),
      ),
  );
}

function skeleton() {
  return h(
    "div",
    { class: "timeline-skeleton", role: "status", "aria-label": "Loading the conversation", key: "skeleton" },
    [1, 2, 3].map((n) =>
      h(
        "div",
        { class: `bubble-skeleton bubble-skeleton--${n % 2 ? "left" : "right"}` },
        h("span", { class: "skeleton skeleton--long" }),
        h("span", { class: "skeleton skeleton--short" }),
      ),
    ),
  );
}
