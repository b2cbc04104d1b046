// Screens, settings: one record being edited: begun, saved, taken back, removed. What the server says no with goes to its field.

import { capital } from "../core/format.js";
import { begin, placed, read } from "./draft.js";
import { sectionOf } from "./sections.js";
import { isDirty, placeOf, stable } from "./state.js";
import { shapeOf } from "./shape.js";

/** @param {Omit<import("./state.js").Settings, "records">} settings */
export function createRecords(settings) {
  const { state, changed, focus } = settings;

  /** The section that is shown, and its record: null for a new one, undefined where there is none. */
  function shown() {
    const section = sectionOf(state.route.section);
    const { id } = state.route;
    if (!section || id === null) return { section, item: undefined };
    const item = id === "" ? null : state.parts[section.id].items.find((one) => section.key(one) === id);
    return { section, item };
  }

  /** What is typed on the record that is shown stays what it is; else it begins as the record stands. */
  function open() {
    const { section, item } = shown();
    if (!section || item === undefined) return;
    const place = placeOf(state.route);
    if (!state.editing.has(place)) {
      const shape = shapeOf(section.schema(/** @type {any} */ (settings), item));
      const draft = begin({ ...shape, flat: true }, item ? section.value(item) : undefined);
      state.editing.set(place, { shape: { ...shape, flat: true }, draft, was: stable(draft), problems: {}, error: "", busy: false });
    }
    if (item) section.opened?.(/** @type {any} */ (settings), item);
  }

  function revert() {
    state.editing.delete(placeOf(state.route));
    const { section, item } = shown();
    if (section && item === null) return settings.go(section.id);
    open();
    focus("editor-title");
    changed();
  }

  async function save() {
    const { section, item } = shown();
    const place = placeOf(state.route);
    const editing = state.editing.get(place);
    if (!section?.save || item === undefined || !editing || editing.busy) return;
    Object.assign(editing, { problems: {}, error: "" });
    Object.assign(state, { said: "", refused: "" });
    const value = read(editing.shape, editing.draft, "", editing.problems);
    if (Object.keys(editing.problems).length) {
      focus("problem");
      return changed();
    }
    editing.busy = true;
    changed();
    try {
      const found = await section.save(/** @type {any} */ (settings), item, value);
      await settings.load(section);
      state.editing.delete(place);
      forget(section);
      const id = section.single ? "mine" : section.key(found);
      if (place !== placeOf({ section: section.id, id })) settings.go(section.id, id);
      else open();
      state.said = `Saved ${section.single ? "your notifications" : section.name(found)}.`;
      focus("editor-title");
    } catch (error) {
      editing.busy = false;
      refuse(section, editing, /** @type {any} */ (error));
    }
    changed();
  }

  /** @param {import("./sections.js").Section} section @param {import("./state.js").Editing} editing @param {any} error */
  function refuse(section, editing, error) {
    const field = typeof error.facts?.field === "string" ? (section.place?.(error.facts.field) ?? error.facts.field) : "";
    const path = field && placed(editing.shape, editing.draft, field);
    const words = plain(String(error.message ?? error).replace(`${field}: `, ""));
    if (path) editing.problems[path] = words;
    else editing.error = words;
    focus("problem");
  }

  /** Forms that offer what was just changed are made anew, unless somebody is typing in them. @param {import("./sections.js").Section} section */
  function forget(section) {
    for (const [place, editing] of state.editing) {
      if (place !== placeOf(state.route) && !isDirty(editing) && !editing.busy && section) state.editing.delete(place);
    }
  }

  function remove() {
    const { section, item } = shown();
    const { remove: way } = section ?? {};
    if (!section || !item || !way) return;
    const name = section.name(item);
    settings.confirm(`${way.words} ${name}?`, way.why(item), way.words, async () => {
      const place = placeOf(state.route);
      try {
        await way.run(/** @type {any} */ (settings), item);
        state.editing.delete(place);
        await settings.load(section);
        settings.go(section.id);
        state.said = `${name} is ${PAST[way.words]}.`;
        focus("section-title");
      } catch (error) {
        const editing = state.editing.get(place);
        const words = plain(/** @type {any} */ (error).message);
        if (editing) editing.error = words;
        else state.refused = words;
        focus("problem");
      }
      changed();
    });
  }

  return { shown, open, save, revert, remove };
}

/** The server's words for people: nobody reads a pattern. @param {string} text */
const plain = (text) => capital(text.replace(/^String should match pattern .*$/, "this is not written as it has to be"));

const PAST = /** @type {Record<string, string>} */ ({ Delete: "deleted", Disable: "disabled", Revoke: "revoked" });
