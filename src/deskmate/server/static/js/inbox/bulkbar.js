// Screens, inbox: what can be done to the threads that were picked, at the foot of the list.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button, iconButton } from "../core/parts.js";
import { loadWords } from "./around.js";
import { MOST, shownPicked, snoozeTimes } from "./bulk.js";
import { knownTags } from "./filters.js";

/** @typedef {import("./main.js").Desk} Desk */

/** @type {["assign" | "snooze" | "priority" | "tags" | "note", string, string, string][]} panel, words, icon, key */
const PANELS = [
  ["assign", "Assign", "person", "#"],
  ["snooze", "Snooze", "snooze", "s"],
  ["priority", "Priority", "sort", "p"],
  ["tags", "Tags", "tag", "l"],
  ["note", "Note", "lock", "n"],
];

/** @param {Desk} desk */
export function bulkBar(desk) {
  const { state, bulk } = desk;
  const { picked } = state;
  const count = shownPicked(state).length;
  if (!count && !picked.showing) return picked.said && said(desk);
  const every = count === Math.min(MOST, state.list.ids.length);
  return h(
    "section",
    { class: "bulk", "aria-label": "Selected threads", key: "bulk" },
    said(desk),
    picked.error && h("p", { class: "bulk-error", role: "alert" }, picked.error),
    picked.panel && count > 0 && panel(desk, count),
    h(
      "div",
      { class: "bulk-top" },
      h(
        "label",
        { class: "check grow" },
        h("input", {
          type: "checkbox",
          checked: count > 0 && every,
          "aria-label": "Select all threads that are shown",
          onclick: () => bulk.pickAll(),
        }),
        h("span", { role: "status" }, count ? `${count} selected` : "Select threads", count === MOST && ", the most at once"),
      ),
      iconButton("Clear the selection", "close", () => bulk.clear(), { props: { "aria-keyshortcuts": "Escape" } }),
    ),
    count > 0 &&
      h(
        "div",
        { class: "bulk-ways", role: "group", "aria-label": "Do to all selected" },
        button("Resolve", () => bulk.act({ status: "resolved" }, "resolved"), {
          look: "small",
          icon: "check",
          id: "bulk-resolve",
          disabled: picked.busy,
          title: "Resolve (Shift R)",
        }),
        PANELS.map(([name, words, mark, key]) =>
          h(
            "button",
            {
              type: "button",
              class: "button button--small",
              id: `bulk-${name}`,
              key: name,
              disabled: picked.busy,
              title: `${words} (${key})`,
              "aria-expanded": picked.panel === name ? "true" : "false",
              "aria-controls": "bulk-panel",
              onclick: () => bulk.panel(name),
            },
            icon(mark, true),
            words,
          ),
        ),
      ),
  );
}

/** @param {Desk} desk */
function said({ state, changed }) {
  const { picked } = state;
  return (
    picked.said &&
    h(
      "div",
      { class: "list-said", role: "status", id: "bulk-said", tabindex: "-1", key: "bulk-said" },
      icon(picked.refused.size ? "escalation" : "check", true),
      h("p", { class: "grow" }, picked.said),
      iconButton("Dismiss", "close", () => {
        picked.said = "";
        changed();
        /** @type {HTMLElement | null} */ (document.querySelector(".list-rows .thread-row"))?.focus();
      }),
    )
  );
}

/** @param {Desk} desk @param {number} count */
function panel(desk, count) {
  const { picked } = desk.state;
  const bodies = { assign, snooze, priority, tags, note };
  const words = PANELS.find(([name]) => name === picked.panel)?.[1] ?? "";
  return h(
    "div",
    {
      class: "bulk-panel",
      id: "bulk-panel",
      role: "group",
      "aria-label": `${words}, ${counted(count, "thread")}`,
      key: `panel:${picked.panel}`,
      onkeydown: arrows,
    },
    picked.panel && bodies[picked.panel](desk),
  );
}

/** Up and down walk the choices. @param {KeyboardEvent} event */
function arrows(event) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const panel = /** @type {HTMLElement} */ (event.currentTarget);
  const all = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("input[type=search], .bulk-choice")]);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (!step || at < 0) return;
  event.preventDefault();
  all[(at + step + all.length) % all.length].focus();
}

/** @param {any} mark @param {string} words @param {string} more @param {() => void} run @param {string} [id] */
function choice(mark, words, more, run, id) {
  return h(
    "li",
    { key: words + more },
    h(
      "button",
      { type: "button", class: "bulk-choice", id, onclick: run },
      mark,
      h("span", { class: "truncate grow" }, words),
      more && h("span", { class: "quiet" }, more),
    ),
  );
}

/** @param {Desk} desk */
function assign(desk) {
  const { state, bulk } = desk;
  const { typed } = state.picked;
  const search = typed.search.trim().toLowerCase();
  const all = [
    { mark: avatar("operator", state.me?.name, { size: "small" }), words: "Me", more: "", to: `operator:${state.me?.id}`, done: "given to you" },
    { mark: avatar("agent", "AI", { size: "small" }), words: "The AI", more: "", to: "ai", done: "given to the AI" },
    ...state.around.queues.items.map(({ name, waiting }) => ({
      mark: avatar("queue", name, { size: "small" }),
      words: name,
      more: `queue, ${waiting} wait`,
      to: `queue:${name}`,
      done: `put in ${name}`,
    })),
    ...state.around.team.items
      .filter((one) => one.id !== state.me?.id)
      .map((one) => ({
        mark: avatar("operator", one.name, { size: "small", presence: one.presence }),
        words: one.name,
        more: `${one.presence}, ${loadWords(one)}`,
        to: `operator:${one.id}`,
        done: `given to ${one.name}`,
      })),
  ];
  const fits = all.filter((one) => one.words.toLowerCase().includes(search));
  const give = (/** @type {typeof all[number]} */ one) => bulk.act({ assign: one.to }, one.done);
  return [
    h("input", {
      class: "input",
      id: "bulk-field",
      type: "search",
      "aria-label": "Assign to",
      placeholder: "Assign to a name or a queue",
      value: typed.search,
      oninput: (/** @type {any} */ event) => desk.type(typed, "search", event.target.value),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Enter" || !fits.length) return;
        event.preventDefault();
        give(fits[0]);
      },
    }),
    fits.length
      ? h(
          "ul",
          { class: "bulk-choices" },
          fits.map((one) => choice(one.mark, one.words, one.more, () => give(one))),
        )
      : h("p", { class: "quiet", role: "status" }, "Nobody of this name, and no queue."),
  ];
}

/** @param {Desk} desk */
function snooze(desk) {
  const { state, bulk } = desk;
  const { typed } = state.picked;
  return [
    h(
      "ul",
      { class: "bulk-choices" },
      snoozeTimes(state.now).map(([words, at], i) =>
        choice(
          icon("clock", true),
          words,
          "",
          () => bulk.act({ status: "snoozed", snoozed_until: new Date(at).toISOString() }, "snoozed"),
          i ? undefined : "bulk-field",
        ),
      ),
      choice(icon("chat", true), "Until the customer writes", "", () => bulk.act({ status: "snoozed" }, "snoozed")),
    ),
    form(
      desk,
      "Snooze",
      () => typed.until && bulk.act({ status: "snoozed", snoozed_until: new Date(typed.until).toISOString() }, "snoozed"),
      h(
        "div",
        { class: "field" },
        h("label", { for: "bulk-until" }, "Until"),
        h("input", {
          class: "input",
          id: "bulk-until",
          type: "datetime-local",
          required: true,
          value: typed.until,
          oninput: (/** @type {any} */ event) => desk.type(typed, "until", event.target.value),
        }),
      ),
    ),
  ];
}

/** @param {Desk} desk */
function priority({ bulk }) {
  return h(
    "ul",
    { class: "bulk-choices" },
    ["urgent", "high", "normal", "low"].map((to, i) =>
      choice(icon("sort", true), to[0].toUpperCase() + to.slice(1), "", () => bulk.act({ priority: to }, `set to ${to}`), i ? undefined : "bulk-field"),
    ),
  );
}

/** @param {Desk} desk */
function tags(desk) {
  const { state, bulk } = desk;
  const { typed } = state.picked;
  const list = (/** @type {string} */ text) =>
    text
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
  const field = (/** @type {"add" | "remove"} */ name, /** @type {string} */ label) =>
    h(
      "div",
      { class: "field" },
      h("label", { for: name === "add" ? "bulk-field" : "bulk-remove" }, label),
      h("input", {
        class: "input",
        id: name === "add" ? "bulk-field" : "bulk-remove",
        list: "known-tags",
        autocomplete: "off",
        value: typed[name],
        oninput: (/** @type {any} */ event) => desk.type(typed, name, event.target.value),
      }),
    );
  const some = list(typed.add).length + list(typed.remove).length > 0;
  return form(
    desk,
    "Set tags",
    () => some && bulk.act({ add_tags: list(typed.add), remove_tags: list(typed.remove) }, "tagged"),
    field("add", "Add tags, with commas between"),
    field("remove", "Remove tags"),
    !state.filtering && knownTags(desk),
  );
}

/** @param {Desk} desk */
function note(desk) {
  const { bulk, state } = desk;
  const { typed } = state.picked;
  return form(
    desk,
    "Add note",
    () => typed.note.trim() && bulk.act({ note: typed.note.trim() }, "noted"),
    h(
      "div",
      { class: "field" },
      h("label", { for: "bulk-field" }, "Note on each, only the team sees it"),
      h("textarea", {
        class: "input",
        id: "bulk-field",
        rows: 3,
        value: typed.note,
        oninput: (/** @type {any} */ event) => desk.type(typed, "note", event.target.value),
        onkeydown: (/** @type {any} */ event) =>
          event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), event.target.form.requestSubmit()),
      }),
    ),
  );
}

/** @param {Desk} desk @param {string} label @param {() => unknown} run @param {...any} fields */
function form(desk, label, run, ...fields) {
  return h(
    "form",
    {
      class: "bulk-form",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        run();
      },
    },
    fields,
    h(
      "div",
      { class: "dialog-ways" },
      button(label, () => undefined, { look: "primary small", type: "submit", disabled: desk.state.picked.busy }),
      button("Cancel", () => desk.bulk.panel(desk.state.picked.panel), { look: "plain small" }),
    ),
  );
}
