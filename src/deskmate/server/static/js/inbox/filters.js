// Screens, inbox: which threads the list shows beyond its tabs: by queue, kind of request, priority and tag.

import { h } from "../core/dom.js";
import { capital } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {"queue" | "kind" | "priority" | "tag"} Name */

const LABELS = { queue: "Queue", kind: "Request", priority: "Priority", tag: "Tag" };
const NAMES = /** @type {Name[]} */ (Object.keys(LABELS));
const CHOICES = { kind: ["question", "approval", "escalation"], priority: ["urgent", "high", "normal", "low"] };

/** @param {Desk} desk */
export function filterPanel(desk) {
  const { state } = desk;
  const { view, around } = state;
  const queues = around.queues.items.map((one) => one.name);
  if (view.queue && !queues.includes(view.queue)) queues.push(view.queue);
  const some = NAMES.some((name) => view[name]);
  return h(
    "div",
    { class: "filter-panel", id: "filter-panel", role: "group", "aria-label": "Filters", key: "filter-panel" },
    choice(desk, "queue", "Any queue", queues),
    choice(desk, "kind", "Any or none", CHOICES.kind),
    choice(desk, "priority", "Any priority", CHOICES.priority),
    h(
      "div",
      { class: "field" },
      h("label", { for: "filter-tag" }, LABELS.tag),
      h("input", {
        class: "input",
        id: "filter-tag",
        list: "known-tags",
        value: view.tag,
        placeholder: "Any tag",
        maxlength: 40,
        autocomplete: "off",
        onchange: (/** @type {any} */ event) => desk.go({ tag: event.target.value.trim() }),
      }),
      knownTags(desk),
    ),
    h(
      "div",
      { class: "filter-ways" },
      button("Clear", () => desk.go({ queue: "", kind: "", priority: "", tag: "" }), { look: "plain small", disabled: !some }),
      button("Done", desk.toggleFilters, { look: "small" }),
    ),
  );
}

/** @param {Desk} desk @param {"queue" | "kind" | "priority"} name @param {string} any @param {string[]} values */
function choice(desk, name, any, values) {
  const value = desk.state.view[name];
  return h(
    "div",
    { class: "field" },
    h("label", { for: `filter-${name}` }, LABELS[name]),
    h(
      "select",
      { class: "input", id: `filter-${name}`, value, onchange: (/** @type {any} */ event) => desk.go({ [name]: event.target.value }) },
      h("option", { value: "", selected: !value }, any),
      values.map((one) => h("option", { value: one, selected: one === value }, name === "queue" ? one : capital(one))),
    ),
  );
}

/** The tags of the threads that are known here. @param {Desk} desk */
export function knownTags({ state }) {
  const tags = new Set([...state.threads.values()].flatMap((thread) => thread.tags ?? []));
  return h(
    "datalist",
    { id: "known-tags" },
    [...tags]
      .sort()
      .slice(0, 100)
      .map((tag) => h("option", { value: tag })),
  );
}

/** What is set stays in sight, and goes with a click. @param {Desk} desk */
export function filterChips(desk) {
  const { view } = desk.state;
  const set = NAMES.filter((name) => view[name]);
  return (
    set.length > 0 &&
    h(
      "div",
      { class: "filter-chips", role: "group", "aria-label": "Filters that are set", key: "filter-chips" },
      set.map((name) =>
        h(
          "button",
          { type: "button", class: "filter-chip", key: name, onclick: () => desk.go({ [name]: "" }) },
          h("span", { class: "sr" }, "Remove "),
          h("span", { class: "quiet" }, `${LABELS[name]} `),
          h("span", { class: "truncate" }, name === "queue" || name === "tag" ? view[name] : capital(view[name])),
          icon("close", true),
        ),
      ),
    )
  );
}
