// Screens, inbox: what is chosen, filtered and searched lives in the URL, so that reload, links and Back work.

import { NO_FILTERS } from "./state.js";

/** @typedef {import("./state.js").View} View */
/** @typedef {Omit<View, "thread">} Filters */

/** Filters with a fixed choice of values. @type {Partial<Record<keyof Filters, string[]>>} */
const CHOICES = {
  assignment: ["mine", "unassigned", "all"],
  status: ["open", "snoozed", "resolved", "all"],
  sort: ["newest", "waiting", "activity", "priority", "due"],
  kind: ["question", "approval", "escalation"],
  priority: ["low", "normal", "high", "urgent"],
};
export const FILTERS = /** @type {(keyof Filters)[]} */ (Object.keys(NO_FILTERS));

/** @param {Location | URL} location @returns {View} */
export function readView(location) {
  const params = new URLSearchParams(location.search);
  const thread = location.pathname.match(/^\/inbox\/threads\/([^/]+)$/)?.[1];
  return { thread: thread ? decodeURIComponent(thread) : null, ...filtersOf(Object.fromEntries(params)) };
}

/** @param {View} view @returns {string} */
export function urlOf(view) {
  const params = new URLSearchParams(chosen(view));
  const query = params.toString();
  return (view.thread ? `/inbox/threads/${encodeURIComponent(view.thread)}` : "/inbox") + (query ? `?${query}` : "");
}

/** Filters that are the same show the same threads. @param {Filters} view */
export function filterKey(view) {
  return FILTERS.map((name) => view[name]).join("\n");
}

/** What was chosen, and is not as the inbox is without a choice. @param {Filters} view @returns {Record<string, string>} */
export function chosen(view) {
  return Object.fromEntries(FILTERS.filter((name) => view[name] !== NO_FILTERS[name]).map((name) => [name, view[name]]));
}

/** All filters, from those that are given: of the address, or of a saved view. @param {Record<string, string>} given @returns {Filters} */
export function filtersOf(given) {
  const filters = { ...NO_FILTERS };
  for (const name of FILTERS) {
    const value = given[name];
    if (value && (CHOICES[name]?.includes(value) ?? true)) filters[name] = value;
  }
  return filters;
}
