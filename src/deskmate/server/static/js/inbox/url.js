// Screens, inbox: what is chosen, filtered and searched lives in the URL, so that reload, links and Back work.

/** @typedef {import("./state.js").View} View */

const ASSIGNMENTS = ["mine", "unassigned", "all"];
const STATUSES = ["open", "snoozed", "resolved", "all"];
const SORTS = ["newest", "waiting", "activity", "priority", "due"];

/** @param {Location | URL} location @returns {View} */
export function readView(location) {
  const params = new URLSearchParams(location.search);
  const thread = location.pathname.match(/^\/inbox\/threads\/([^/]+)$/)?.[1];
  return {
    thread: thread ? decodeURIComponent(thread) : null,
    assignment: oneOf(ASSIGNMENTS, params.get("assignment"), "all"),
    status: oneOf(STATUSES, params.get("status"), "open"),
    sort: oneOf(SORTS, params.get("sort"), "activity"),
    queue: params.get("queue") ?? "",
    q: params.get("q") ?? "",
  };
}

/** @param {View} view @returns {string} */
export function urlOf(view) {
  const params = new URLSearchParams();
  if (view.assignment !== "all") params.set("assignment", view.assignment);
  if (view.status !== "open") params.set("status", view.status);
  if (view.sort !== "activity") params.set("sort", view.sort);
  if (view.queue) params.set("queue", view.queue);
  if (view.q) params.set("q", view.q);
  const query = params.toString();
  return (view.thread ? `/inbox/threads/${encodeURIComponent(view.thread)}` : "/inbox") + (query ? `?${query}` : "");
}

/** @param {string[]} all @param {string | null} value @param {string} otherwise */
function oneOf(all, value, otherwise) {
  return value !== null && all.includes(value) ? value : otherwise;
}
