// Screens, board: the queues, what waits for people, and who is there with how much in their hands.

import { h } from "../core/dom.js";
import { capital, counted, full, until } from "../core/format.js";
import { avatar } from "../core/parts.js";
import { bars } from "./charts.js";
import { since, span } from "./words.js";

const AGES = ["under 5 min", "5 to 30 min", "30 min to 2 h", "2 h to a day", "older than a day"];
const AGE_LOOKS = ["operator", "operator", "near", "missed", "missed"];
const PRESENCE = { available: "Available", away: "Away", offline: "Offline" };

/** @param {string} key @param {string} size @param {string} title @param {any} lead @param {...any} body */
function card(key, size, title, lead, ...body) {
  return h(
    "section",
    { class: `card card--${size}`, key, "aria-labelledby": `${key}-title` },
    h("h2", { id: `${key}-title` }, title),
    h("p", { class: "card-lead" }, lead),
    body,
  );
}

/** @param {string[]} head @param {number} numbers how many of the last columns are numbers @param {any[]} rows */
function grid(head, numbers, rows) {
  const look = (/** @type {number} */ at) => (at < head.length - numbers ? undefined : head[at] === "Requests" ? "number not-small" : "number");
  return h(
    "div",
    { class: "table-frame" },
    h(
      "table",
      { class: "table" },
      h("thead", null, h("tr", null, head.map((words, at) => h("th", { scope: "col", class: look(at) }, words)))),
      h("tbody", null, rows),
    ),
  );
}

/** @param {any} now @param {number} at */
export function queues({ queues: lines }, at) {
  const waiting = lines.filter((/** @type {any} */ one) => one.waiting);
  const closed = lines.filter((/** @type {any} */ one) => !one.open).length;
  const fullest = [...waiting].sort((a, b) => b.waiting - a.waiting)[0];
  const lead = fullest
    ? `Most wait in ${fullest.name}: ${counted(fullest.waiting, "thread")}.${closed ? ` ${counted(closed, "queue")} closed now.` : ""}`
    : `Nothing waits in ${lines.length === 1 ? "the queue" : `any of ${lines.length} queues`}.`;
  return card(
    "queues",
    "6",
    "Queues now",
    lead,
    grid(
      ["Queue", "People", "Waiting", "Oldest"],
      2,
      lines.map((/** @type {any} */ one) =>
        h(
          "tr",
          { key: one.name },
          h("th", { scope: "row" }, h("a", { href: `/inbox?assignment=all&queue=${encodeURIComponent(one.name)}` }, one.name)),
          h("td", null, h("span", { class: `open open--${one.open ? "yes" : "no"}`, title: one.open ? "" : full(one.opens_at) }, one.open ? "open" : one.opens_at ? `closed until ${until(one.opens_at, at)}` : "closed")),
          h("td", { class: "number" }, one.waiting >= 1000 ? "1000 or more" : one.waiting),
          h("td", { class: "number" }, one.waiting_since ? since(one.waiting_since, at) : h("span", { class: "quiet" }, "none")),
        ),
      ),
    ),
  );
}

/** @param {any} now @param {number} at */
export function requests({ requests: kinds, approvals, more }, at) {
  const all = kinds.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  const pending = approvals.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  const old = approvals.slice(3).reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.waiting, 0);
  const lead = all
    ? `${counted(all, "request")}${more ? " and more" : ""} ${all === 1 ? "waits" : "wait"} for a decision${old ? `; ${counted(old, "approval")} for more than 2 hours` : ""}.`
    : "No agent waits for a decision.";
  return card(
    "requests",
    "6",
    "Requests now",
    lead,
    bars(
      kinds.map((/** @type {any} */ one) => ({
        key: one.kind,
        label: h("a", { href: `/inbox?assignment=all&kind=${one.kind}` }, capital(`${one.kind}s`)),
        value: one.waiting,
        look: one.kind,
        words: [h("b", null, one.waiting), " · oldest ", since(one.waiting_since, at)],
      })),
      all,
    ),
    pending > 0 && h("h3", null, "Pending approvals by age"),
    pending > 0 &&
      bars(
        approvals.map((/** @type {any} */ one, /** @type {number} */ place) => ({
          key: AGES[place],
          label: capital(AGES[place]),
          value: one.waiting,
          look: AGE_LOOKS[place],
          words: h("b", null, one.waiting),
        })),
        pending,
      ),
  );
}

/** @param {any} now @param {number} at */
export function operators({ operators: team }, at) {
  const here = team.filter((/** @type {any} */ one) => one.presence === "available");
  const room = here.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + Math.max(0, one.capacity - one.load), 0);
  const lead = team.length
    ? `${here.length} of ${counted(team.length, "person", "people")} ${here.length === 1 ? "is" : "are"} available, with room for ${Math.floor(room)} more ${Math.floor(room) === 1 ? "thread" : "threads"}.`
    : "Nobody works here yet.";
  return card(
    "operators",
    "6",
    "People now",
    lead,
    team.length > 0 &&
      grid(
        ["Name", "Load", "Threads", "Requests", "Waits longest"],
        3,
        team.map((/** @type {any} */ one) => person(one, at)),
      ),
  );
}

/** @param {any} one @param {number} at */
function person(one, at) {
  const presence = /** @type {"available"} */ (one.presence);
  const share = one.capacity ? Math.min(1, one.load / one.capacity) : 1;
  const load = `${Math.round(one.load * 10) / 10} of ${one.capacity}`;
  return h(
    "tr",
    { key: one.id },
    h(
      "th",
      { scope: "row" },
      h(
        "span",
        { class: "who" },
        avatar("operator", one.name, { size: "medium", presence }),
        h("span", { class: "who-name" }, h("span", { class: "truncate" }, one.name), h("span", { class: "quiet", title: full(one.seen_at) }, PRESENCE[presence], presence !== "available" && one.seen_at && h("span", { class: "not-small" }, `, seen ${span((at - Date.parse(one.seen_at)) / 1000)} ago`))),
      ),
    ),
    h("td", null, h("span", { class: "load" }, h("span", { class: `meter${share >= 1 ? " meter--full" : ""}`, vars: { "--value": `${Math.round(100 * share)}%` } }, h("span", null)), h("span", null, load, share >= 1 && ", full"))),
    h("td", { class: "number" }, one.threads),
    h("td", { class: "number not-small" }, one.requests),
    h("td", { class: "number" }, one.waiting_since ? since(one.waiting_since, at) : h("span", { class: "quiet" }, "nobody")),
  );
}
