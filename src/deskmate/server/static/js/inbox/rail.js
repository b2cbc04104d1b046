// Screens, inbox: the rail with the inbox, the queues, and the operator's own menu.

import { h } from "../core/dom.js";
import { icon, logo } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { isDark, setTheme } from "../core/theme.js";
import { shownCount } from "./state.js";
import { urlOf } from "./url.js";

const PRESENCES = /** @type {const} */ (["available", "away", "offline"]);
const PRESENCE_WORDS = { available: "Available", away: "Away", offline: "Offline" };

/** @param {import("./main.js").Desk} desk */
export function rail(desk) {
  const { state } = desk;
  const queue = state.view.queue;
  const dark = isDark();
  return h(
    "nav",
    { class: "rail", "aria-label": "Desk", key: "rail" },
    h("a", { class: "rail-brand", href: "/inbox" }, logo(), h("span", { class: "rail-text" }, "Deskmate")),
    link(
      desk,
      { queue: "" },
      queue === "",
      icon("inbox"),
      "Inbox",
      state.counts ? state.counts.unassigned + state.counts.mine : 0,
      999,
    ),
    (state.me?.queues ?? []).length > 0 && h("div", { class: "rail-group" }, h("span", null, "Queues")),
    (state.me?.queues ?? []).map((name) =>
      link(
        desk,
        { queue: name },
        queue === name,
        h("span", { class: "rail-mark", "aria-hidden": "true" }, name[0]?.toUpperCase()),
        name,
        state.queues[name] ?? 0,
        99,
      ),
    ),
    h(
      "div",
      { class: "rail-end" },
      item("Keyboard shortcuts", icon("keyboard"), () => desk.dialog("keys")),
      item(dark ? "Light theme" : "Dark theme", icon(dark ? "sun" : "moon"), () => {
        setTheme(dark ? "light" : "dark");
        desk.changed();
      }),
      meButton(desk),
    ),
  );
}

/** @param {import("./main.js").Desk} desk @param {any} change @param {boolean} current @param {any} mark @param {string} name @param {number} count @param {number} most */
function link(desk, change, current, mark, name, count, most) {
  const view = { ...desk.state.view, ...change, thread: null };
  return h(
    "a",
    {
      class: "rail-item",
      href: urlOf(view),
      title: name,
      "aria-current": current ? "page" : undefined,
      key: `rail:${name}`,
      onclick: desk.follow(view),
    },
    mark,
    h("span", { class: "rail-text" }, name),
    count > 0 && h("span", { class: "count" }, shownCount(count, most), h("span", { class: "sr" }, " waiting or yours")),
  );
}

/** @param {string} name @param {any} mark @param {() => void} onclick */
function item(name, mark, onclick) {
  return h("button", { type: "button", class: "rail-item", title: name, onclick }, mark, h("span", { class: "rail-text" }, name));
}

/** @param {import("./main.js").Desk} desk */
function meButton({ state }) {
  const me = state.me;
  const presence = me?.presence ?? "available";
  return h(
    "button",
    { type: "button", class: "rail-item rail-item--me", id: "me", popovertarget: "me-menu", title: me?.name },
    avatar("operator", me?.name, { size: "medium", presence }),
    h("span", { class: "rail-text" }, me?.name, h("span", { class: "sr" }, `, ${PRESENCE_WORDS[presence]}`)),
  );
}

/** The menu floats above all zones, so that the phone's tab bar can open it too. @param {import("./main.js").Desk} desk */
export function meMenu(desk) {
  const { state } = desk;
  const me = state.me;
  const presence = me?.presence ?? "available";
  return h(
    "div",
    { class: "menu", id: "me-menu", popover: "auto", role: "dialog", "aria-label": "You", key: "me-menu" },
    h("p", { class: "menu-head" }, h("strong", null, me?.name), h("span", { class: "quiet" }, me?.email)),
    h(
      "fieldset",
      { class: "menu-group" },
      h("legend", null, "Presence"),
      PRESENCES.map((one) =>
        h(
          "label",
          { class: "menu-item" },
          h("input", {
            type: "radio",
            name: "presence",
            value: one,
            checked: presence === one,
            onchange: () => desk.verbs.setPresence(one),
          }),
          h("span", { class: `presence-dot presence--${one}`, "aria-hidden": "true" }),
          PRESENCE_WORDS[one],
        ),
      ),
    ),
    typeof me?.load === "number" && h("p", { class: "menu-note" }, `You hold ${me.load} of ${me.capacity}.`),
    h(
      "div",
      { class: "menu-group" },
      h(
        "div",
        { class: "only-small" },
        button(
          isDark() ? "Light theme" : "Dark theme",
          () => {
            setTheme(isDark() ? "light" : "dark");
            desk.changed();
          },
          { look: "plain", icon: isDark() ? "sun" : "moon" },
        ),
      ),
      button("Sign out", () => desk.signOut(), { look: "plain", icon: "leave", id: "sign-out" }),
    ),
  );
}

/** @param {import("./main.js").Desk} desk */
export function tabbar(desk) {
  const { state } = desk;
  return h(
    "nav",
    { class: "tabbar", "aria-label": "Desk, small screen", key: "tabbar" },
    h(
      "a",
      {
        href: urlOf({ ...state.view, thread: null }),
        "aria-current": "page",
        onclick: desk.follow({ ...state.view, thread: null }),
      },
      icon("inbox"),
      "Inbox",
    ),
    h("button", { type: "button", onclick: () => desk.search() }, icon("search"), "Search"),
    h("button", { type: "button", popovertarget: "me-menu" }, icon("person"), "You"),
  );
}
