// Screens, board: the period and the queue live in the URL, so that reload, links and Back work.

const HOUR = 3_600_000;
export const PERIODS = /** @type {const} */ ({ day: "Last 24 hours", week: "Last 7 days", month: "Last 30 days" });
const IN_WORDS = { day: "in the last 24 hours", week: "in the last 7 days", month: "in the last 30 days" };
const DAYS = { week: 7, month: 30 };

/** @typedef {{period: "day" | "week" | "month" | "exact", since: string, until: string, queue: string}} Chosen */

/** @param {Location | URL} location @returns {Chosen} */
export function readChosen(location) {
  const params = new URLSearchParams(location.search);
  const [since, until] = [params.get("since") ?? "", params.get("until") ?? ""];
  const asked = params.get("period") ?? "";
  const period = since ? "exact" : asked in PERIODS ? /** @type {"day"} */ (asked) : "day";
  return { period, since, until, queue: params.get("queue") ?? "" };
}

/** @param {Chosen} chosen */
export function urlOf({ period, since, until, queue }) {
  const params = new URLSearchParams();
  if (period === "exact") params.set("since", since);
  if (period === "exact" && until) params.set("until", until);
  if (period !== "day" && period !== "exact") params.set("period", period);
  if (queue) params.set("queue", queue);
  const query = params.toString();
  return `/board${query ? `?${query}` : ""}`;
}

/** What to ask the server. Days begin at midnight here, hours on the hour. @param {Chosen} chosen @param {number} now */
export function queryOf({ period, since, until, queue }, now) {
  if (period === "exact") return { since, until, queue };
  if (period === "day") return { since: new Date(Math.floor(now / HOUR) * HOUR - 23 * HOUR).toISOString(), queue };
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  midnight.setDate(midnight.getDate() - DAYS[period] + 1);
  return { since: midnight.toISOString(), queue };
}

/** @param {Chosen} chosen */
export function periodWords({ period }) {
  return period === "exact" ? "in this period" : IN_WORDS[period];
}
