// Screens, inbox: the list of threads with its tabs, filters and search.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { broken, button, empty, iconButton, pick, skeletonRows } from "../core/parts.js";
import { viewShown } from "./around.js";
import { bulkBar } from "./bulkbar.js";
import { filterChips, filterPanel } from "./filters.js";
import { row } from "./row.js";
import { NO_FILTERS, shownCount, works } from "./state.js";
import { chosen, urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */

const TABS = /** @type {const} */ ([
  ["mine", "Mine"],
  ["unassigned", "Unassigned"],
  ["all", "All"],
]);
/** @type {[string, string][]} */
const STATUSES = [
  ["open", "Open"],
  ["snoozed", "Snoozed"],
  ["resolved", "Resolved"],
  ["all", "Any status"],
];
/** @type {[string, string][]} */
const SORTS = [
  ["activity", "Last activity"],
  ["newest", "Newest"],
  ["waiting", "Waiting longest"],
  ["priority", "Priority"],
  ["due", "Due first"],
];

/** @param {Desk} desk */
export function list(desk) {
  const { state } = desk;
  const { view } = state;
  // On a phone the list is the page, until a thread is.
  const alone = !view.thread;
  return h(
    "section",
    { class: `list${state.picked.showing || state.picked.ids.size ? " list--picking" : ""}`, role: alone && desk.phone() ? "main" : undefined, "aria-label": "Thread list", key: "list" },
    h(
      "header",
      { class: "list-header" },
      h(alone ? "h1" : "h2", { class: "list-title truncate" }, viewShown(state)?.name || view.queue || "Inbox"),
      works(state) && nextButton(desk),
      iconButton("Select threads", "check", () => desk.bulk.show(), { class: "only-touch" }),
      iconButton("Search threads", "search", () => desk.search(), {
        props: { "aria-expanded": state.searching ? "true" : "false", "aria-keyshortcuts": "/" },
      }),
    ),
    (state.searching || view.q) && searchField(desk),
    nextSaid(desk),
    h(
      "nav",
      { class: "list-tabs", "aria-label": "Assignment" },
      TABS.map(([key, words]) => {
        const to = { ...view, assignment: key };
        return h(
          "a",
          {
            href: urlOf(to),
            "aria-current": view.assignment === key ? "page" : undefined,
            onclick: desk.follow({ assignment: key }),
          },
          words,
          " ",
          h("span", { class: "count" }, state.counts ? shownCount(state.counts[key], 999) : ""),
        );
      }),
    ),
    h(
      "div",
      { class: "list-filters", role: "group", "aria-label": "Filters and order" },
      pick("Status", view.status, STATUSES, (status) => desk.go({ status }), { id: "filter-status" }),
      filterButton(desk),
      h("span", { class: "grow" }),
      pick("Order", view.sort, SORTS, (sort) => desk.go({ sort }), { id: "filter-sort", before: icon("sort", true) }),
    ),
    state.filtering && filterPanel(desk),
    !state.filtering && filterChips(desk),
    rows(desk),
    bulkBar(desk),
  );
}

/** @param {Desk} desk */
function nextButton({ state, next }) {
  return h(
    "button",
    {
      type: "button",
      class: "button button--small",
      id: "next",
      disabled: state.busy.has("next"),
      "aria-keyshortcuts": "x",
      title: "Take the next thread or request that waits for you",
      onclick: next,
    },
    icon("next"),
    h("span", null, "Next for me"),
    state.shortcuts && h("kbd", { "aria-hidden": "true" }, "x"),
  );
}

/** @param {Desk} desk */
function nextSaid({ state, changed }) {
  return (
    state.next &&
    h(
      "div",
      { class: "list-said", role: "status", id: "next-said", tabindex: "-1", key: "next-said" },
      icon("info", true),
      h("p", { class: "grow" }, state.next),
      iconButton("Dismiss", "close", () => {
        state.next = "";
        changed();
        document.getElementById("next")?.focus();
      }),
    )
  );
}

/** @param {Desk} desk */
function filterButton({ state, toggleFilters }) {
  const { assignment: _a, status: _s, sort: _o, q: _q, ...more } = chosen(state.view);
  const count = Object.keys(more).length;
  return h(
    "button",
    {
      type: "button",
      class: "button button--plain button--small",
      id: "filters",
      "aria-expanded": state.filtering ? "true" : "false",
      "aria-controls": "filter-panel",
      "aria-keyshortcuts": "f",
      onclick: toggleFilters,
    },
    icon("filter", true),
    "Filter",
    count > 0 && h("span", { class: "badge badge--on" }, count, h("span", { class: "sr" }, " set")),
  );
}

/** @param {Desk} desk */
function searchField(desk) {
  const { view } = desk.state;
  return h(
    "div",
    { class: "list-search", role: "search", key: "search" },
    icon("search", true),
    h("input", {
      class: "input",
      id: "search",
      type: "search",
      "aria-label": "Search threads",
      placeholder: "Search people, subjects, words",
      value: view.q,
      oninput: (/** @type {any} */ event) => desk.searchFor(event.target.value),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape") desk.endSearch();
        if (event.key === "Enter" || event.key === "ArrowDown") {
          event.preventDefault();
          desk.focus("list");
        }
      },
    }),
    iconButton("Close search", "close", () => desk.endSearch()),
  );
}

/** @param {Desk} desk */
function rows(desk) {
  const { state, load } = desk;
  const { list } = state;
  if (list.error && !list.ids.length) return broken("The list", list.error, () => load.list());
  if (!list.loaded) return skeletonRows("Loading threads", 7);
  if (!list.ids.length && !list.cursor) return emptyList(desk);
  return h(
    "div",
    { class: "list-rows", key: "rows", onscroll: (/** @type {any} */ event) => nearEnd(event.target) && load.more() },
    h(
      "ul",
      { "aria-label": "Threads" },
      list.ids.map((id) => {
        const thread = state.threads.get(id);
        return thread && row(desk, thread);
      }),
    ),
    list.cursor &&
      h(
        "div",
        { class: "list-more" },
        button(list.loading ? "Loading…" : "More threads", () => load.more(), { look: "plain small", disabled: list.loading }),
      ),
  );
}

/** @param {HTMLElement} el */
function nearEnd(el) {
  return el.scrollHeight - el.scrollTop - el.clientHeight < 400;
}

/** Says what waits elsewhere, never only "nothing here". @param {Desk} desk */
function emptyList(desk) {
  const { view, counts } = desk.state;
  if (view.q) {
    return empty(
      `Nothing found for “${view.q}”`,
      "Search looks at names, subjects and the words of messages.",
      { key: "empty" },
      button("Clear the search", () => desk.endSearch()),
    );
  }
  const elsewhere = counts && view.assignment !== "unassigned" ? counts.unassigned : 0;
  if (elsewhere) {
    return empty(
      "Nothing waits for you",
      `${elsewhere === 1 ? "One thread waits" : `${shownCount(elsewhere, 999)} threads wait`} for somebody to take it.`,
      { key: "empty" },
      button("Look at unassigned threads", () => desk.go({ assignment: "unassigned" }), { look: "primary" }),
    );
  }
  const { assignment: _, sort: __, ...filters } = chosen(view);
  if (Object.keys(filters).length) {
    return empty(
      "Nothing here",
      "No thread fits these filters.",
      { key: "empty" },
      button("Show all open threads", () => desk.go({ ...NO_FILTERS, sort: view.sort })),
    );
  }
  if (view.assignment !== "all" && counts?.all) {
    return empty(
      "Nobody waits for a person",
      `The AI holds ${counts.all === 1 ? "the one open thread" : `${shownCount(counts.all, 999)} open threads`}.`,
      { key: "empty" },
      button("Look at all threads", () => desk.go({ assignment: "all" })),
    );
  }
  return empty(
    "No threads yet",
    "When a customer writes, the thread shows up here by itself.",
    { key: "empty" },
    h("a", { class: "button", href: "/chat", target: "_blank", rel: "noopener" }, "Open the customer chat"),
  );
}
