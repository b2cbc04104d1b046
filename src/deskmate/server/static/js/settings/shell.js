// Screens, settings: the page: the sections, the records of one, and the record that is open. On a phone one of the three at a time.

import { h } from "../core/dom.js";
import { icon, logo } from "../core/icons.js";
import { broken, button } from "../core/parts.js";
import { isDark, setTheme } from "../core/theme.js";
import { dialogs } from "./dialogs.js";
import { editor } from "./editor.js";
import { GROUPS, SECTIONS, sectionOf } from "./sections.js";
import { follow, words } from "./parts.js";
import { hashOf, isDirty, placeOf } from "./state.js";

/** @typedef {import("./state.js").Settings} Settings */
/** @typedef {import("./sections.js").Section} Section */

/** @param {Settings} settings */
export function shell(settings) {
  const { route } = settings.state;
  const section = sectionOf(route.section);
  const view = !section ? "sections" : route.id === null ? "list" : "record";
  return [
    h("a", { class: "skip", href: "#main", key: "skip", onclick: skip }, "Skip to the settings"),
    h(
      "div",
      { class: `settings${section?.single ? " settings--single" : ""}`, "data-view": view, key: "settings" },
      sections(settings),
      h("main", { class: "settings-main", id: "main", tabindex: "-1", key: "main" }, section && [!section.single && records(settings, section), editor(settings, section)]),
    ),
    dialogs(settings),
  ];
}

/** The fragment belongs to the sections. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {Settings} settings */
function sections(settings) {
  const { state } = settings;
  const dark = isDark();
  return h(
    "nav",
    { class: "settings-nav", "aria-label": "Settings", key: "nav" },
    h("a", { class: "settings-brand", href: "/inbox" }, logo(), h("span", null, "Settings")),
    h("a", { class: "rail-item", href: "/inbox" }, icon("back"), h("span", { class: "grow" }, "Back to the inbox")),
    GROUPS.map((group) => {
      const inside = SECTIONS.filter((one) => one.group === group && settings.known(one.id));
      if (!inside.length) return null;
      return h(
        "div",
        { role: "group", "aria-labelledby": `group-${group}`, key: group, class: "settings-group" },
        h("p", { class: "settings-group-name", id: `group-${group}` }, group),
        inside.map((one) => sectionLink(settings, one)),
      );
    }),
    h(
      "div",
      { class: "settings-nav-end" },
      h(
        "button",
        {
          type: "button",
          class: "rail-item",
          onclick: () => {
            setTheme(dark ? "light" : "dark");
            settings.changed();
          },
        },
        icon(dark ? "sun" : "moon"),
        dark ? "Light theme" : "Dark theme",
      ),
      h("p", { class: "settings-me quiet" }, `${state.me?.name}, ${state.me?.role}`),
    ),
  );
}

/** @param {Settings} settings @param {Section} section */
function sectionLink({ state, go }, section) {
  const typed = [...state.editing].some(([place, editing]) => place.startsWith(`${section.id}/`) && isDirty(editing));
  const part = state.parts[section.id];
  return h(
    "a",
    {
      class: "rail-item",
      href: hashOf(section.id),
      key: section.id,
      "aria-current": state.route.section === section.id ? "page" : undefined,
      onclick: follow(() => go(section.id)),
    },
    icon(section.icon),
    h("span", { class: "grow truncate" }, section.title),
    typed && h("span", { class: "settings-typed" }, h("span", { class: "sr" }, " unsaved changes")),
    !section.single && !part.error && h("span", { class: "count" }, part.items.length, h("span", { class: "sr" }, ` ${section.title}`)),
  );
}

/** @param {Settings} settings @param {Section} section */
function records(settings, section) {
  const { state, go } = settings;
  const { items, error } = state.parts[section.id];
  const may = settings.may(section) && section.save;
  return h(
    "section",
    { class: "settings-list", "aria-labelledby": "section-title", key: `list:${section.id}` },
    h(
      "header",
      { class: "settings-list-top" },
      h("a", { class: "back only-small", href: "#", "aria-label": "Back to all settings", onclick: follow(() => (history.pushState(null, "", location.pathname), dispatchEvent(new PopStateEvent("popstate")))) }, icon("back")),
      h("h1", { id: "section-title", tabindex: "-1", class: "grow" }, section.title),
      may && button("New", () => go(section.id, ""), { icon: "plus", look: "small primary", id: "new-record" }),
    ),
    h("p", { class: "settings-about" }, section.about),
    !settings.may(section) && h("p", { class: "settings-readonly" }, icon("lock", true), h("span", null, `${section.who} You can read them.`)),
    state.route.id === null && words(settings),
    error && broken(section.title, error, () => void settings.load(section)),
    !error && !items.length && h("p", { class: "settings-empty quiet" }, `No ${section.one} yet.`),
    h(
      "ul",
      { class: "settings-rows" },
      items.map((item) => row(settings, section, item)),
    ),
  );
}

/** @param {Settings} settings @param {Section} section @param {any} item */
function row(settings, section, item) {
  const { state, go } = settings;
  const id = section.key(item);
  const editing = state.editing.get(placeOf({ section: section.id, id }));
  const line = section.line(settings, item);
  return h(
    "li",
    { key: id },
    h(
      "a",
      {
        class: "settings-row",
        href: hashOf(section.id, id),
        "aria-current": state.route.id === id ? "true" : undefined,
        onclick: follow(() => go(section.id, id)),
      },
      h("span", { class: "settings-row-name truncate" }, section.name(item)),
      editing && isDirty(editing) && h("span", { class: "badge settings-unsaved" }, "unsaved"),
      line && h("span", { class: "settings-row-line" }, line),
    ),
  );
}
