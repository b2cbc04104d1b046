// Screens, inbox: every command by its name. Verbs on the open thread first, then places, then threads.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { isDark, setTheme } from "../core/theme.js";
import { shownPicked } from "./bulk.js";
import { NO_FILTERS, customerName, heldByMe, openThread, subjectOf, pendingRequests, works } from "./state.js";
import { filtersOf } from "./url.js";
import { addTag } from "./tags.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {{icon: string, words: string, keys?: string, run: () => void}} Command */

let typed = "";
let at = 0;

/** @param {Desk} desk */
export function palette(desk) {
  const matches = find(desk, typed);
  at = Math.min(at, Math.max(0, matches.length - 1));
  const run = (/** @type {Command | undefined} */ command) => {
    if (!command) return;
    desk.dialog(null);
    command.run();
  };
  return [
    h(
      "div",
      { class: "palette-search" },
      icon("search"),
      h("input", {
        id: "palette-input",
        role: "combobox",
        "aria-label": "Command or name",
        "aria-expanded": "true",
        "aria-controls": "palette-list",
        "aria-autocomplete": "list",
        autocomplete: "off",
        "aria-activedescendant": matches.length ? `command-${at}` : undefined,
        placeholder: "Command, person or subject",
        autofocus: true,
        value: typed,
        ref: () => {
          typed = "";
          at = 0;
        },
        oninput: (/** @type {any} */ event) => {
          typed = event.target.value;
          at = 0;
          desk.changed();
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (step && matches.length) {
            event.preventDefault();
            at = (at + step + matches.length) % matches.length;
            desk.changed();
            requestAnimationFrame(() => document.getElementById(`command-${at}`)?.scrollIntoView({ block: "nearest" }));
          } else if (event.key === "Enter") {
            event.preventDefault();
            // What was typed last may not be drawn yet.
            run(find(desk, typed)[at]);
          }
        },
      }),
    ),
    matches.length
      ? h(
          "ul",
          { id: "palette-list", role: "listbox", "aria-label": "Matches" },
          matches.map((command, i) =>
            h(
              "li",
              { id: `command-${i}`, role: "option", "aria-selected": i === at ? "true" : "false", onclick: () => run(command) },
              icon(command.icon),
              h("span", { class: "truncate" }, command.words),
              command.keys && command.keys.split(" ").map((one) => h("kbd", { "aria-hidden": "true" }, one)),
            ),
          ),
        )
      : h(
          "p",
          { class: "palette-none", id: "palette-list", role: "status" },
          "Nothing fits. Enter a command, a name or a subject.",
        ),
  ];
}

/** @param {Desk} desk @param {string} text */
function find(desk, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {Command} */ command) => words.every((word) => command.words.toLowerCase().includes(word));
  return [...commands(desk), ...places(desk), ...people(desk), ...threads(desk)].filter(fits).slice(0, 12);
}

/** @param {Desk} desk @returns {Command[]} */
function commands(desk) {
  const { state, verbs, go } = desk;
  const shown = openThread(state);
  const working = works(state);
  const thread = working ? shown : null;
  /** @type {(Command | false | null | undefined)[]} */
  const all = [
    thread && !heldByMe(thread, state.me) && { icon: "person", words: "Take over this thread", keys: "t", run: verbs.takeOver },
    thread && heldByMe(thread, state.me) && { icon: "route", words: "Hand back to the AI", run: () => desk.dialog("hand_back") },
    thread && { icon: "chat", words: "Write a reply", keys: state.focusCard ? undefined : "r", run: () => desk.write("reply") },
    thread && { icon: "lock", words: "Write a note", keys: "n", run: () => desk.write("note") },
    thread &&
      thread.status !== "resolved" && {
        icon: "check",
        words: "Resolve this thread and open the next",
        keys: "Shift R",
        run: () => verbs.resolve(true),
      },
    thread && { icon: "person", words: "Assign this thread", keys: "#", run: () => desk.dialog("assign") },
    thread &&
      thread.status !== "resolved" && {
        icon: "snooze",
        words: "Snooze this thread",
        keys: "s",
        run: () => desk.dialog("snooze"),
      },
    thread?.status === "snoozed" && { icon: "sun", words: "Wake this thread now", run: () => verbs.change({ status: "open" }) },
    thread && { icon: "tag", words: "Add a tag", run: () => addTag(desk, thread.id) },
    shown && { icon: "copy", words: "Copy the id of this thread", run: () => desk.copy(thread.id) },
    thread && { icon: "macro", words: "Run a macro", run: () => desk.dialog("macros") },
    ...(thread ? state.around.macros.items : []).map((macro) => ({
      icon: "macro",
      words: `Macro: ${macro.name}`,
      run: () => void desk.runMacro(macro.id),
    })),
    thread?.status === "resolved" && { icon: "retry", words: "Reopen this thread", run: () => verbs.change({ status: "open" }) },
    thread &&
      pendingRequests(state, thread.id).length > 0 && {
        icon: "question",
        words: "Go to the open request",
        keys: "a",
        run: () => desk.focusOn(pendingRequests(state, thread.id)[0].id),
      },
    shown && { icon: "info", words: desk.contextShown() ? "Close the context" : "Open the context", run: desk.toggleContext },
    working && { icon: "next", words: "Next for me", keys: "x", run: desk.next },
    ...selection(desk),
    { icon: "filter", words: "Filter the list", keys: "f", run: () => state.filtering || desk.toggleFilters() },
    { icon: "at", words: "Show mentions of me", run: () => document.getElementById("mentions-menu")?.showPopover() },
    { icon: "bookmark", words: "Save the filters as a view", run: () => document.getElementById("views-menu")?.showPopover() },
    { icon: "team", words: "Show the team", run: () => document.getElementById("team-menu")?.showPopover() },
    { icon: "search", words: "Search threads", keys: "/", run: desk.search },
    { icon: "inbox", words: "Show my threads", run: () => go({ assignment: "mine" }) },
    { icon: "inbox", words: "Show unassigned threads", run: () => go({ assignment: "unassigned" }) },
    { icon: "inbox", words: "Show all threads", run: () => go({ assignment: "all" }) },
    { icon: "person", words: "Set me available", run: () => verbs.setPresence("available") },
    { icon: "person", words: "Set me away", run: () => verbs.setPresence("away") },
    { icon: "person", words: "Set me offline", run: () => verbs.setPresence("offline") },
    {
      icon: isDark() ? "sun" : "moon",
      words: isDark() ? "Use the light theme" : "Use the dark theme",
      run: () => {
        setTheme(isDark() ? "light" : "dark");
        desk.changed();
      },
    },
    { icon: "settings", words: "Open the settings", run: () => location.assign("/settings") },
    { icon: "keyboard", words: "Show keyboard shortcuts", keys: "?", run: () => desk.dialog("keys") },
    { icon: "leave", words: "Sign out", run: desk.signOut },
  ];
  return /** @type {Command[]} */ (all.filter(Boolean));
}

/** @param {Desk} desk @returns {Command[]} */
function selection({ state, bulk }) {
  const count = shownPicked(state).length;
  if (!count) return [];
  const what = counted(count, "selected thread");
  return [
    { icon: "check", words: `Resolve ${what}`, keys: "Shift R", run: () => bulk.act({ status: "resolved" }, "resolved") },
    { icon: "snooze", words: `Snooze ${what}`, keys: "s", run: () => bulk.panel("snooze") },
    { icon: "sort", words: `Set the priority of ${what}`, keys: "p", run: () => bulk.panel("priority") },
    { icon: "tag", words: `Tag ${what}`, keys: "l", run: () => bulk.panel("tags") },
    { icon: "lock", words: `Write a note on ${what}`, keys: "n", run: () => bulk.panel("note") },
  ];
}

/** Saved views and queues. @param {Desk} desk @returns {Command[]} */
function places({ state, go }) {
  const { views, queues } = state.around;
  return [
    ...views.items.map((view) => ({
      icon: "bookmark",
      words: `View: ${view.name}`,
      run: () => go({ ...filtersOf(view.filters), thread: null }),
    })),
    ...queues.items.map(({ name, waiting }) => ({
      icon: "inbox",
      words: `Queue: ${name}, ${waiting} waiting`,
      run: () => go({ ...NO_FILTERS, sort: state.view.sort, queue: name, thread: null }),
    })),
  ];
}

/** Give what is selected, else the open thread, to somebody, or put it in a queue. @param {Desk} desk @returns {Command[]} */
function people({ state, bulk }) {
  const selected = shownPicked(state);
  const thread = openThread(state);
  if (!works(state) || (!selected.length && !thread)) return [];
  const what = selected.length ? counted(selected.length, "selected thread") : "this thread";
  const give = (/** @type {string} */ to, /** @type {string} */ done) =>
    bulk.act({ assign: to }, done, selected.length ? undefined : thread ? [thread.id] : []);
  return [
    ...state.around.team.items.map((one) => ({
      icon: "person",
      words: `Assign ${what} to ${one.id === state.me?.id ? "me" : one.name}`,
      run: () => give(`operator:${one.id}`, `given to ${one.name}`),
    })),
    ...state.around.queues.items.map(({ name }) => ({
      icon: "route",
      words: `Put ${what} in the queue ${name}`,
      run: () => give(`queue:${name}`, `put in ${name}`),
    })),
  ];
}

/** @param {Desk} desk @returns {Command[]} */
function threads(desk) {
  return [...desk.state.threads.values()].map((thread) => ({
    icon: "chat",
    words: `${customerName(thread)}: ${subjectOf(desk.state, thread)}`,
    run: () => desk.go({ thread: thread.id }),
  }));
}
