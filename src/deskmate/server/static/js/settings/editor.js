// Screens, settings: the record that is open: its form, what else can be done with it, and Save.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { field } from "./draw.js";
import { follow, words } from "./parts.js";
import { isDirty, placeOf } from "./state.js";

/** @typedef {import("./state.js").Settings} Settings */
/** @typedef {import("./sections.js").Section} Section */

/** @param {Settings} settings @param {Section} section */
export function editor(settings, section) {
  const { state, records } = settings;
  if (state.route.id === null) return nothingOpen(settings, section);
  const { item } = records.shown();
  const editing = state.editing.get(placeOf(state.route));
  if (item === undefined || !editing) return gone(settings, section);
  const may = settings.may(section);
  const fixed = section.fixed?.(item) ?? false;
  return h(
    "section",
    { class: "editor", "aria-labelledby": "editor-title", key: `editor:${placeOf(state.route)}` },
    top(settings, section, item, may),
    h(
      "div",
      { class: "editor-body" },
      words(settings),
      section.single && h("p", { class: "settings-about" }, section.about),
      section.single && !may && h("p", { class: "settings-readonly" }, icon("lock", true), section.who),
      !fixed && form(settings, section, editing, !may || !section.save),
      item && may && section.extra?.(settings, item),
    ),
  );
}

/** @param {Settings} settings @param {Section} section @param {any} item @param {boolean} may */
function top(settings, section, item, may) {
  const { remove } = section;
  const title = item === null ? `New ${section.one}` : section.name(item);
  return h(
    "header",
    { class: "editor-top" },
    h(
      "a",
      {
        class: "back only-small",
        href: section.single ? "/settings" : `#${section.id}`,
        "aria-label": `Back to ${section.single ? "all settings" : section.title}`,
        onclick: section.single ? undefined : follow(() => settings.go(section.id)),
      },
      icon("back"),
    ),
    h(section.single ? "h1" : "h2", { id: "editor-title", tabindex: "-1", class: "grow truncate" }, title),
    item &&
      may &&
      remove &&
      (remove.may?.(settings, item) ?? true) &&
      button(`${remove.words}…`, () => settings.records.remove(), { look: "plain danger", id: "remove-record" }),
  );
}

/** @param {Settings} settings @param {Section} section @param {import("./state.js").Editing} editing @param {boolean} readonly */
function form(settings, section, editing, readonly) {
  const { trial } = section;
  const { item = null } = settings.records.shown();
  const { records, changed, choices } = settings;
  const dirty = isDirty(editing);
  const fields = { id: "set", problems: editing.problems, readonly, changed, choices };
  return h(
    "form",
    {
      class: "editor-form",
      novalidate: true,
      "aria-labelledby": "editor-title",
      key: "form",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void records.save();
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (readonly || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        void records.save();
      },
    },
    editing.error && h("p", { class: "field-error editor-error", id: "editor-error", tabindex: "-1", role: "alert" }, icon("info", true), editing.error),
    field({ form: fields, shape: editing.shape, holder: editing, key: "draft", path: "", currency: "" }),
    !readonly && trial?.view(settings, item, editing),
    !readonly &&
      h(
        "footer",
        { class: "editor-foot" },
        button(editing.busy ? "Saving…" : "Save", () => undefined, { look: "primary", type: "submit", id: "save-record" }),
        // Before what comes and goes: nothing moves under a hand.
        trial && button(trial.words, () => void trial.run(settings, item, editing), { id: "try-record", disabled: settings.state.trial.busy }),
        (dirty || settings.state.route.id === "") && button(settings.state.route.id === "" ? "Cancel" : "Take back", () => records.revert(), { look: "plain" }),
        h("span", { class: "editor-dirty quiet", role: "status" }, dirty ? "Not saved yet" : ""),
      ),
  );
}

/** @param {Settings} settings @param {Section} section */
function nothingOpen({ state }, section) {
  const { items } = state.parts[section.id];
  return h(
    "div",
    { class: "editor editor--none", key: "none" },
    h("div", { class: "empty" }, icon(section.icon), h("p", null, items.length ? `Choose a ${section.one} to see it.` : `The first ${section.one} stands here.`)),
  );
}

/** @param {Settings} settings @param {Section} section */
function gone({ go }, section) {
  return h(
    "div",
    { class: "editor editor--none", key: "gone" },
    h(
      "div",
      { class: "empty" },
      h("h2", { id: "editor-title", tabindex: "-1" }, `There is no such ${section.one}`),
      h("p", null, "It may have been deleted, or renamed."),
      button(`Show all ${section.title.toLowerCase()}`, () => go(section.id)),
    ),
  );
}
