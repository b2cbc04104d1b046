// Screens, inbox: what opens beside the rail: mentions, saved views, the team, oneself. On a phone the tab bar opens them.

import { h } from "../core/dom.js";
import { ago, capital, full, iso, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button, iconButton } from "../core/parts.js";
import { isDark, setTheme } from "../core/theme.js";
import { leads, loadWords, viewShown } from "./around.js";
import { bell } from "./bell.js";
import { close, menu, part } from "./menu.js";
import { KINDS } from "./notifying.js";
import { NO_FILTERS, customerName, shownCount } from "./state.js";
import { chosen, filtersOf, urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */

const PRESENCES = /** @type {const} */ (["available", "away", "offline"]);
export const PRESENCE_WORDS = { available: "Available", away: "Away", offline: "Offline" };

const REFUSED = "The browser does not allow notifications of this page.";

/** They float above all zones. @param {Desk} desk */
export function menus(desk) {
  return [
    menu("mentions", "Mentions of you", mentions(desk)),
    !desk.state.around.notices.absent && menu("notices", "Notifications", bell(desk)),
    menu("views", "Saved views", views(desk)),
    menu("team", "Team", team(desk)),
    menu("places", "Views and queues", [places(desk), views(desk, "places")]),
    meMenu(desk),
  ];
}

/** @param {Desk} desk */
function mentions(desk) {
  const { state, around } = desk;
  const { mentions } = state.around;
  const none = "Nobody has called on you. Notes do it with @ and your name.";
  return [
    part(desk, "mentions", "Mentions", none, () =>
      h(
        "ul",
        { class: "menu-list" },
        mentions.items.map((one) =>
          h(
            "li",
            { key: one.id },
            h(
              "a",
              {
                class: `mention-row${one.read_at ? "" : " mention-row--new"}`,
                href: urlOf({ ...state.view, thread: one.thread.id }),
                onclick: (/** @type {MouseEvent} */ event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  close("mentions");
                  if (!one.read_at) void around.readMentions([one.id]);
                  desk.open(one.thread.id, `message:${one.message.id}`);
                },
              },
              h(
                "span",
                { class: "mention-top" },
                h("b", { class: "truncate" }, one.message.author.name),
                h("span", { class: "quiet truncate grow" }, ` on ${customerName(one.thread)}`),
                h("time", { class: "quiet", datetime: iso(one.at), title: full(one.at) }, ago(one.at, state.now)),
                !one.read_at && h("span", { class: "unread-dot", role: "img", "aria-label": "unread" }),
              ),
              h("span", { class: "mention-text" }, icon("lock", true), shorten(one.message.text, 140)),
            ),
          ),
        ),
      ),
    ),
    mentions.unread > 0 &&
      h(
        "div",
        { class: "menu-group" },
        button("Mark all as read", () => around.readMentions(null), { look: "plain small", icon: "check" }),
      ),
  ];
}

/** @param {Desk} desk @param {string} [name] of the menu they stand in */
function views(desk, name = "views") {
  const { state } = desk;
  const { views, naming } = state.around;
  const shown = viewShown(state);
  return [
    part(desk, "views", "Views", "None yet. Filter the list, then save what you see under a name.", () =>
      h(
        "ul",
        { class: "menu-list" },
        views.items.map((view) => (naming.id === view.id ? h("li", { key: view.id }, viewForm(desk, view, name)) : viewRow(desk, view, shown, name))),
      ),
    ),
    h("div", { class: "menu-group" }, viewForm(desk, null, name)),
  ];
}

/** @param {Desk} desk @param {import("../core/types.js").SavedView} view @param {any} shown @param {string} name */
function viewRow(desk, view, shown, name) {
  const { state } = desk;
  const filters = { ...filtersOf(view.filters), thread: null };
  return h(
    "li",
    { class: "view-row", key: view.id },
    h(
      "a",
      {
        class: "menu-item grow",
        href: urlOf(filters),
        "aria-current": shown?.id === view.id ? "page" : undefined,
        onclick: (/** @type {MouseEvent} */ event) => {
          desk.follow(filters)(event);
          if (event.defaultPrevented) close(name);
        },
      },
      icon("bookmark"),
      h("span", { class: "truncate grow" }, view.name),
      view.shared && h("span", { class: "badge" }, "shared"),
    ),
    (!view.shared || leads(state)) &&
      iconButton(`Change ${view.name}`, "edit", () => {
        Object.assign(state.around.naming, { id: view.id, name: view.name, shared: view.shared, again: false, error: "" });
        desk.changed();
        desk.focus(`view-name-${name}-${view.id}`);
      }),
  );
}

/** Save what is shown as a view, or change one. @param {Desk} desk @param {import("../core/types.js").SavedView | null} view @param {string} menu */
function viewForm(desk, view, menu) {
  const { state, around } = desk;
  const { naming } = state.around;
  const mine = view ? true : !naming.id;
  const id = `view-name-${menu}-${view?.id ?? "new"}`;
  const check = (/** @type {"shared" | "again"} */ field, /** @type {string} */ words) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", checked: naming[field], onchange: (/** @type {any} */ event) => desk.type(naming, field, event.target.checked) }),
      words,
    );
  return h(
    "form",
    {
      class: "view-form",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        if (!mine || !naming.name.trim()) return;
        void (view ? around.changeView(view) : around.saveView());
      },
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: id }, view ? "Name" : "Save what the list shows as"),
      h("input", {
        class: "input",
        id,
        maxlength: 200,
        required: true,
        autocomplete: "off",
        disabled: !mine,
        placeholder: view ? "" : suggestion(state),
        value: mine ? naming.name : "",
        oninput: (/** @type {any} */ event) => desk.type(naming, "name", event.target.value),
      }),
    ),
    mine && leads(state) && (view || naming.name) && check("shared", "For the whole team"),
    view && check("again", "Use the filters and the order that are set now"),
    mine && naming.error && h("p", { class: "bulk-error", role: "alert" }, naming.error),
    (view || naming.name) &&
      mine &&
      h(
        "div",
        { class: "dialog-ways" },
        button("Save", () => undefined, { look: "primary small", type: "submit", disabled: naming.busy || !naming.name.trim() }),
        button(
          "Cancel",
          () => {
            Object.assign(naming, { id: "", name: "", shared: false, again: false, error: "" });
            desk.changed();
          },
          { look: "plain small" },
        ),
        view && h("span", { class: "grow" }),
        view && button("Delete", () => around.deleteView(view), { look: "plain small", disabled: naming.busy }),
      ),
  );
}

/** @param {import("./state.js").State} state */
function suggestion({ view }) {
  const words = Object.entries(chosen(view))
    .filter(([name]) => name !== "sort")
    .map(([, value]) => value);
  return capital(words.join(", ")) || "A name";
}

/** @param {Desk} desk */
function team(desk) {
  const { state } = desk;
  const order = (/** @type {{presence: string}} */ one) => ["available", "away", "offline"].indexOf(one.presence);
  const sorted = [...state.around.team.items].sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
  return part(desk, "team", "The team", "Nobody works here yet.", () =>
    h(
      "ul",
      { class: "menu-list" },
      sorted.map((one) =>
        h(
          "li",
          { class: "colleague", key: one.id },
          avatar("operator", one.name, { size: "medium", presence: one.presence }),
          h(
            "span",
            { class: "grow" },
            h("span", { class: "colleague-name truncate" }, one.name, one.id === state.me?.id && h("span", { class: "quiet" }, " (you)")),
            h("span", { class: "quiet" }, PRESENCE_WORDS[one.presence]),
          ),
          h("span", { class: "colleague-load", title: `Holds ${loadWords(one)}` }, loadMeter(one), loadWords(one)),
        ),
      ),
    ),
  );
}

/** @param {{load?: number, capacity?: number}} operator */
function loadMeter({ load = 0, capacity = 0 }) {
  const value = capacity ? Math.min(1, load / capacity) : 1;
  const full = value >= 1 ? " meter--full" : "";
  return h("span", { class: `meter meter--load${full}`, "aria-hidden": "true" }, h("span", { vars: { "--value": `${value * 100}%` } }));
}

/** Where the rail has no room: on a phone. @param {Desk} desk */
function places(desk) {
  const { state } = desk;
  return [
    part(desk, "queues", "Queues", "", () =>
      h(
        "ul",
        { class: "menu-list", "aria-label": "Queues" },
        state.around.queues.items.map(({ name, waiting }) => {
          const filters = { ...NO_FILTERS, sort: state.view.sort, queue: name, thread: null };
          return h(
            "li",
            { key: name },
            h(
              "a",
              {
                class: "menu-item",
                href: urlOf(filters),
                "aria-current": state.view.queue === name ? "page" : undefined,
                onclick: (/** @type {MouseEvent} */ event) => {
                  desk.follow(filters)(event);
                  close("places");
                },
              },
              h("span", { class: "rail-mark", "aria-hidden": "true" }, [...name][0]?.toUpperCase()),
              h("span", { class: "truncate grow" }, name),
              h("span", { class: "quiet" }, `${shownCount(waiting, 999)} waiting`),
            ),
          );
        }),
      ),
    ),
    h("div", { class: "menu-group" }, h("button", { type: "button", class: "menu-item menu-button", popovertarget: "team-menu" }, icon("team"), "Team")),
    h(
      "div",
      { class: "menu-group" },
      h("a", { class: "menu-item", href: "/board" }, icon("board"), "Board"),
      h("a", { class: "menu-item", href: "/judgement" }, icon("judgement"), "Judgement"),
    ),
  ];
}

/** What one is told of while looking elsewhere, and how. @param {Desk} desk */
function notifications({ notifying }) {
  return h(
    "table",
    { class: "menu-notify" },
    h("caption", null, "Tell me"),
    h("thead", null, h("tr", null, ["When", "Sound", "Browser"].map((word) => h("th", { scope: "col" }, word)))),
    h(
      "tbody",
      null,
      Object.entries(KINDS).map(([kind, words]) =>
        h(
          "tr",
          null,
          h("th", { scope: "row" }, words),
          ["sound", "browser"].map((way) =>
            h(
              "td",
              null,
              h("input", {
                type: "checkbox",
                id: `notify-${kind}-${way}`,
                "aria-label": `${words}: ${way}`,
                checked: notifying.wants(/** @type {any} */ (kind), /** @type {any} */ (way)),
                onchange: (/** @type {any} */ event) =>
                  notifying.choose(/** @type {any} */ (kind), /** @type {any} */ (way), event.target.checked),
              }),
            ),
          ),
        ),
      ),
    ),
    notifying.refused() && h("tfoot", null, h("tr", null, h("td", { colspan: 3, role: "alert" }, REFUSED))),
  );
}

/** @param {Desk} desk */
function meMenu(desk) {
  const { state } = desk;
  const { me } = state;
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
    notifications(desk),
    typeof me?.load === "number" && h("p", { class: "menu-note menu-load" }, loadMeter(me), `You hold ${loadWords(me)}.`),
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
      h("a", { class: "button button--plain only-small", href: "/settings" }, icon("settings"), "Settings"),
      button("Sign out", () => desk.signOut(), { look: "plain", icon: "leave", id: "sign-out" }),
    ),
  );
}
