// Screens, inbox: the rail: the inbox, mentions, saved views, queues, the team, and the operator.

import { h } from "../core/dom.js";
import { roughly, ms } from "../core/format.js";
import { icon, logo } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { isDark, setTheme } from "../core/theme.js";
import { loadWords, viewShown } from "./around.js";
import { PRESENCE_WORDS } from "./menus.js";
import { NO_FILTERS, shownCount } from "./state.js";
import { chosen, filtersOf, urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */

/** @param {Desk} desk */
export function rail(desk) {
  const { state } = desk;
  const { mentions, notices, team } = state.around;
  const dark = isDark();
  const here = team.items.filter((one) => one.presence === "available").length;
  return h(
    "nav",
    { class: "rail", "aria-label": "Desk", key: "rail" },
    h("a", { class: "rail-brand", href: "/inbox" }, logo(), h("span", { class: "rail-text" }, "Deskmate")),
    inboxLink(desk),
    opener("mentions", "Mentions", icon("at"), mentions.unread, "unread"),
    notices.loaded && opener("notices", "Notifications", icon("bell"), notices.unread, "unread"),
    opener("views", "Views", icon("bookmark"), 0, ""),
    savedViews(desk),
    h("a", { class: "rail-item", href: "/board", title: "Board", key: "board" }, icon("board"), h("span", { class: "rail-text" }, "Board")),
    h("a", { class: "rail-item", href: "/judgement", title: "Judgement", key: "judgement" }, icon("judgement"), h("span", { class: "rail-text" }, "Judgement")),
    queues(desk),
    h(
      "div",
      { class: "rail-end" },
      opener("team", "Team", icon("team"), here, "available"),
      h(
        "a",
        { class: "rail-item", href: "/settings", id: "to-settings", title: "Settings" },
        icon("settings"),
        h("span", { class: "rail-text" }, "Settings"),
      ),
      item("Keyboard shortcuts", icon("keyboard"), () => desk.dialog("keys")),
      item(dark ? "Light theme" : "Dark theme", icon(dark ? "sun" : "moon"), () => {
        setTheme(dark ? "light" : "dark");
        desk.changed();
      }),
      meButton(desk),
    ),
  );
}

/** What the inbox is without a filter, in the tab and order that are chosen. @param {Desk} desk */
export function plainInbox({ state }) {
  const { assignment, sort } = state.view;
  return { ...NO_FILTERS, assignment, sort };
}

/** @param {Desk} desk */
function inboxLink(desk) {
  const { state } = desk;
  const { assignment: _, sort: __, ...filters } = chosen(state.view);
  const current = !Object.keys(filters).length && !viewShown(state);
  const count = state.counts ? state.counts.unassigned + state.counts.mine : 0;
  return link(desk, "inbox", plainInbox(desk), { current, mark: icon("inbox"), name: "Inbox", count, words: "waiting or yours" });
}

/** With names there is room for them; without, the menu has them. @param {Desk} desk */
function savedViews(desk) {
  const { views } = desk.state.around;
  if (!views.items.length) return null;
  const shown = viewShown(desk.state);
  return h(
    "div",
    { class: "rail-views", role: "group", "aria-label": "Saved views", key: "views" },
    views.items.map((view) =>
      link(desk, view.id, filtersOf(view.filters), {
        current: shown?.id === view.id,
        mark: h("span", { class: "rail-indent" }),
        name: view.name,
        count: 0,
        words: "",
      }),
    ),
  );
}

/** @param {Desk} desk */
function queues(desk) {
  const { state } = desk;
  const { queues } = state.around;
  const mine = state.me?.queues ?? [];
  const works = (/** @type {string} */ name) => (mine.includes(name) ? 0 : 1);
  const sorted = [...queues.items].sort((a, b) => works(a.name) - works(b.name));
  if (queues.loaded && !sorted.length) return null;
  return [
    h("div", { class: "rail-group", key: "queues" }, h("span", null, "Queues")),
    queues.error &&
      h(
        "button",
        { type: "button", class: "rail-item rail-item--broken", title: queues.error.message, onclick: () => desk.around.load("queues") },
        icon("retry"),
        h("span", { class: "rail-text" }, "Queues did not load"),
      ),
    !queues.loaded &&
      !queues.error &&
      [1, 2].map(() => h("span", { class: "rail-item", "aria-hidden": "true" }, h("span", { class: "skeleton grow" }))),
    sorted.map(({ name, waiting, waiting_since }) => {
      const since = ms(waiting_since);
      const oldest = waiting && !Number.isNaN(since) ? `, the longest for ${roughly(state.now - since)}` : "";
      return link(
        desk,
        `queue:${name}`,
        { ...NO_FILTERS, sort: state.view.sort, queue: name },
        {
          current: state.view.queue === name && !viewShown(state),
          mark: h("span", { class: "rail-mark", "aria-hidden": "true" }, [...name][0]?.toUpperCase()),
          name,
          count: waiting,
          words: `waiting${oldest}`,
        },
      );
    }),
  ];
}

/**
 * @param {Desk} desk @param {string} key @param {import("./url.js").Filters} filters
 * @param {{current: boolean, mark: any, name: string, count: number, words: string}} what
 */
function link(desk, key, filters, { current, mark, name, count, words }) {
  return h(
    "a",
    {
      class: "rail-item",
      href: urlOf({ ...filters, thread: null }),
      title: count ? `${name}: ${shownCount(count, 999)} ${words}` : name,
      "aria-current": current ? "page" : undefined,
      key: `rail:${key}`,
      onclick: desk.follow({ ...filters, thread: null }),
    },
    mark,
    h("span", { class: "rail-text truncate" }, name),
    count > 0 && h("span", { class: "count" }, shownCount(count, 999), h("span", { class: "sr" }, ` ${words}`)),
  );
}

/** @param {string} name @param {any} mark @param {() => void} onclick */
function item(name, mark, onclick) {
  return h("button", { type: "button", class: "rail-item", title: name, onclick }, mark, h("span", { class: "rail-text" }, name));
}

/** Opens a menu beside the rail. @param {string} menu @param {string} name @param {any} mark @param {number} count @param {string} words */
function opener(menu, name, mark, count, words) {
  return h(
    "button",
    {
      type: "button",
      class: "rail-item",
      id: menu,
      key: menu,
      title: count ? `${name}: ${count} ${words}` : name,
      popovertarget: `${menu}-menu`,
    },
    mark,
    h("span", { class: "rail-text" }, name),
    count > 0 &&
      h(
        "span",
        { class: `count${menu === "mentions" || menu === "notices" ? " count--new" : ""}` },
        shownCount(count, 99),
        h("span", { class: "sr" }, ` ${words}`),
      ),
  );
}

/** @param {Desk} desk */
function meButton({ state }) {
  const { me } = state;
  const presence = me?.presence ?? "available";
  const load = me ? loadWords(me) : "";
  return h(
    "button",
    {
      type: "button",
      class: "rail-item rail-item--me",
      id: "me",
      popovertarget: "me-menu",
      title: `${me?.name}, ${PRESENCE_WORDS[presence]}, you hold ${load}`,
    },
    avatar("operator", me?.name, { size: "medium", presence }),
    h(
      "span",
      { class: "rail-text rail-me" },
      h("span", { class: "truncate" }, me?.name),
      h("span", { class: "rail-load" }, h("span", { class: "sr" }, ", "), `${PRESENCE_WORDS[presence]}, ${load}`),
    ),
  );
}

/** @param {string} menu @param {string} name @param {string} mark @param {number} unread */
function tab(menu, name, mark, unread) {
  return h(
    "button",
    { type: "button", popovertarget: `${menu}-menu`, key: menu },
    icon(mark),
    h(
      "span",
      null,
      name,
      unread > 0 && h("span", { class: "unread" }, shownCount(unread, 99), h("span", { class: "sr" }, " unread")),
    ),
  );
}

/** @param {Desk} desk */
export function tabbar(desk) {
  const { state } = desk;
  const { mentions, notices } = state.around;
  return h(
    "nav",
    { class: "tabbar", "aria-label": "Desk, small screen", key: "tabbar" },
    h(
      "a",
      {
        href: urlOf({ ...plainInbox(desk), thread: null }),
        "aria-current": "page",
        onclick: desk.follow({ ...plainInbox(desk), thread: null }),
      },
      icon("inbox"),
      "Inbox",
    ),
    h("button", { type: "button", popovertarget: "places-menu" }, icon("bookmark"), "Views"),
    tab("mentions", "Mentions", "at", mentions.unread),
    notices.loaded && tab("notices", "Word", "bell", notices.unread),
    h("button", { type: "button", onclick: () => desk.search() }, icon("search"), "Search"),
    h("button", { type: "button", popovertarget: "me-menu" }, icon("person"), "You"),
  );
}
