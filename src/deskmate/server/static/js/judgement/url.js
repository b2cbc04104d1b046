// Screens, judgement: agent, period and what is accepted live in the URL, so that reload, links and Back work.

export const PERIODS = /** @type {const} */ ({ week: "Last 7 days", month: "Last 30 days", quarter: "Last 90 days" });
export const IN_WORDS = { week: "in the last 7 days", month: "in the last 30 days", quarter: "in the last 90 days" };
const DAYS = { week: 7, month: 30, quarter: 90 };
export const ERRORS = [0.01, 0.02, 0.05, 0.1];
export const DELTAS = [0.2, 0.1, 0.05, 0.01];

/** @typedef {{agent: string, period: keyof typeof PERIODS, maxError: number | null, delta: number | null}} Chosen
 *   `maxError` and `delta` are asked for instead of what the policy says; null: as it says */

/** @param {Location | URL} location @returns {Chosen} */
export function readChosen(location) {
  const params = new URLSearchParams(location.search);
  const period = params.get("period") ?? "";
  return {
    agent: params.get("agent") ?? "",
    period: period in PERIODS ? /** @type {"week"} */ (period) : "week",
    maxError: share(params.get("max_error")),
    delta: share(params.get("delta")),
  };
}

/** @param {string | null} text */
function share(text) {
  const value = Number(text);
  return text && value > 0 && value < 0.5 ? value : null;
}

/** @param {Chosen} chosen */
export function urlOf({ agent, period, maxError, delta }) {
  const params = new URLSearchParams();
  if (agent) params.set("agent", agent);
  if (period !== "week") params.set("period", period);
  if (maxError !== null) params.set("max_error", String(maxError));
  if (delta !== null) params.set("delta", String(delta));
  const query = params.toString();
  return `/judgement${query ? `?${query}` : ""}`;
}

/** What to ask the server for; days begin at midnight here. @param {Chosen} chosen @param {number} now */
export function sinceOf({ period }, now) {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  midnight.setDate(midnight.getDate() - DAYS[period] + 1);
  return midnight.toISOString();
}
