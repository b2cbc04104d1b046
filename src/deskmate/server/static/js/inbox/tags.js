// Screens, inbox: the tags of a thread, each with a way to take it off, and a field for another one.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { works } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */

let adding = "";
let typed = "";
let error = "";

/** @param {Desk} desk @param {Thread} thread */
export function tagsOf(desk, thread) {
  const tags = thread.tags ?? [];
  return h(
    "div",
    { class: "thread-tags", role: "group", "aria-label": "Tags", key: "tags" },
    tags.map((tag) =>
      h(
        "span",
        { class: "tag", key: `tag:${tag}` },
        tag,
        works(desk.state) &&
          h(
            "button",
            {
              type: "button",
              class: "tag-remove",
              "aria-label": `Remove the tag ${tag}`,
              title: "Remove",
              onclick: () => void change(desk, { remove_tags: [tag] }),
            },
            icon("close", true),
          ),
      ),
    ),
    works(desk.state) && (adding === thread.id ? field(desk) : adder(desk, thread, tags.length === 0)),
    error && adding === thread.id && h("span", { class: "field-error", role: "alert", key: "error" }, error),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {boolean} first */
function adder(desk, thread, first) {
  return h(
    "button",
    {
      type: "button",
      class: "tag tag--add",
      id: "add-tag",
      key: "add",
      "aria-label": "Add a tag",
      title: "Add a tag",
      onclick: () => addTag(desk, thread.id),
    },
    icon("plus", true),
    first && icon("tag", true),
  );
}

/** @param {Desk} desk */
function field(desk) {
  return h("input", {
    class: "tag-field",
    id: "new-tag",
    key: "field",
    "aria-label": "New tag",
    placeholder: "New tag, Enter",
    maxlength: 40,
    value: typed,
    oninput: (/** @type {any} */ event) => {
      typed = event.target.value;
      error = "";
      desk.changed();
    },
    onblur: () => !typed && !error && done(desk),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        done(desk, true);
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        if (typed.trim()) void change(desk, { add_tags: [typed.trim()] });
        else done(desk, true);
      }
    },
  });
}

/** @param {Desk} desk @param {{add_tags?: string[], remove_tags?: string[]}} tags */
async function change(desk, tags) {
  const asked = desk.state.view.thread;
  error = await desk.verbs.tag(tags);
  if (error && tags.remove_tags) {
    desk.state.notice = error;
    error = "";
  } else if (!error && tags.add_tags && adding === asked) typed = "";
  desk.changed();
}

/** @param {Desk} desk @param {string} thread */
export function addTag(desk, thread) {
  adding = thread;
  typed = "";
  error = "";
  desk.changed();
  desk.focus("button:new-tag");
}

/** @param {Desk} desk @param {boolean} [back] whether the focus goes back to where it came from */
function done(desk, back) {
  adding = "";
  typed = "";
  error = "";
  desk.changed();
  if (back) desk.focus("button:add-tag");
}
