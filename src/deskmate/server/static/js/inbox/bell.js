// Screens, inbox: what one was told, newest first: behind the bell.

import { h } from "../core/dom.js";
import { ago, full, iso, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { close, part } from "./menu.js";
import { urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Notice} Notice */

/** @type {Record<string, string>} the first part of a kind, and its icon */
const ICONS = { request: "question", thread: "chat", mention: "at", clock: "clock", chain: "steps", response: "snooze" };

/** @param {Desk} desk */
export function bell(desk) {
  const { notices } = desk.state.around;
  return [
    part(desk, "notices", "Notifications", "Nothing yet. Clocks, chains and colleagues tell you here what needs you.", () =>
      h(
        "ul",
        { class: "menu-list" },
        notices.items.map((one) => h("li", { key: one.id }, row(desk, one))),
      ),
    ),
    h(
      "div",
      { class: "menu-group" },
      notices.unread > 0 && button("Mark all as read", () => desk.around.readNotices(null), { look: "plain small", icon: "check", id: "read-notices" }),
      h("a", { class: "button button--plain button--small", href: "/settings#me" }, icon("settings"), "What I am told of"),
    ),
  ];
}

/** @param {Desk} desk @param {Notice} one */
function row(desk, one) {
  const { state, around } = desk;
  const { thread, request, read_at } = one;
  const look = `mention-row${read_at ? "" : " mention-row--new"}${one.urgent ? " notice--urgent" : ""}`;
  const body = [
    h(
      "span",
      { class: "mention-top" },
      icon(ICONS[one.kind.split(".")[0]] ?? "bell", true),
      h("b", { class: "grow notice-text" }, shorten(one.text, 160)),
      h("time", { class: "quiet", datetime: iso(one.created_at), title: full(one.created_at) }, ago(one.created_at, state.now)),
      !read_at && h("span", { class: "unread-dot", role: "img", "aria-label": "unread" }),
    ),
    one.urgent && h("span", { class: "mention-text notice-urgent" }, "Urgent"),
  ];
  const read = () => void (read_at || around.readNotices([one.id]));
  if (!thread) return h("button", { type: "button", class: `${look} menu-button`, onclick: read }, body);
  return h(
    "a",
    {
      class: look,
      href: urlOf({ ...state.view, thread }),
      onclick: (/** @type {MouseEvent} */ event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        close("notices");
        read();
        desk.open(thread, request ? `ask:${request}` : "work");
      },
    },
    body,
  );
}
