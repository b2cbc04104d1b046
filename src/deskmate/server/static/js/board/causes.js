// Screens, board: why people were asked, and what failed. A cause that makes more than a third of it is set out at the top.

import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar } from "../core/parts.js";
import { bars } from "./charts.js";
import { agentWords, causeWords, percent, sentence, shareWords, since } from "./words.js";

const LARGE = 1 / 3;
/** Two of three say nothing yet. */
const ENOUGH = 4;

/** @param {any} found escalations or failures */
export function largeCauses(found) {
  return found.count < ENOUGH ? [] : found.causes.filter((/** @type {any} */ cause) => cause.share > LARGE);
}

/** One sentence for the largest cause. @param {any} cause @param {number} count @param {string} what */
export function headline(cause, count, what) {
  return `${shareWords(cause.count, count)} ${what} come from ${agentWords(cause)}: ${causeWords(cause)}`;
}

/** @param {any} escalations @param {number} now @param {string} period */
export function callouts(escalations, now, period) {
  return largeCauses(escalations).map((/** @type {any} */ cause) =>
    h(
      "section",
      { class: "callout", key: keyOf(cause), "aria-label": "What makes most escalations" },
      h("span", { class: "callout-mark" }, icon("escalation")),
      h(
        "div",
        { class: "callout-body" },
        h("h2", null, headline(cause, escalations.count, "escalations")),
        h(
          "p",
          null,
          `${percent(cause.count, escalations.count)}: ${cause.count} of ${escalations.count}${escalations.more ? " (the newest)" : ""} ${period}, the last one `,
          since(cause.last_at, now, " ago"),
          cause.tool ? `. The agent says: “${cause.reason}”` : ".",
        ),
        threads(cause, now),
      ),
    ),
  );
}

/** The threads concerned, to open in the inbox. @param {any} cause @param {number} now */
function threads(cause, now) {
  if (!cause.threads.length) return null;
  const shown = cause.threads.length;
  const number = shown < cause.count ? `The newest ${shown} threads` : counted(shown, "thread");
  return h(
    "details",
    { class: "places" },
    h("summary", null, `${number} concerned`),
    h(
      "ul",
      null,
      cause.threads.map((/** @type {any} */ one) =>
        h(
          "li",
          { key: one.id },
          h("a", { href: `/inbox/threads/${encodeURIComponent(one.id)}?assignment=all` }, one.subject || "Without a subject"),
          h("span", { class: "quiet truncate" }, one.customer ?? ""),
          h("span", { class: "quiet" }, since(one.at, now, " ago")),
        ),
      ),
    ),
  );
}

/** @param {any} cause */
function keyOf({ agent, tool, reason }) {
  return JSON.stringify([agent, tool, tool ? "" : reason]);
}

/** @param {any} found @param {number} now @param {string} look */
function list(found, now, look) {
  return bars(
    found.causes.slice(0, 8).map((/** @type {any} */ cause) => ({
      key: keyOf(cause),
      value: cause.count,
      look,
      label: [
        avatar(cause.agent ? "agent" : "customer", cause.agent ?? "?", { size: "mini" }),
        h("b", null, agentWords(cause)),
        ": ",
        cause.tool && h("code", null, cause.tool),
        cause.tool ? " failed" : cause.reason,
      ],
      words: [h("b", null, cause.count), ` · ${percent(cause.count, found.count)}`],
      more: threads(cause, now),
    })),
    found.count,
  );
}

/** @param {any} period @param {number} now @param {string} words */
export function reasons({ escalations }, now, words) {
  const [first] = escalations.causes;
  const lead = first
    ? sentence(headline(first, escalations.count, "escalations"))
    : `Nothing was passed on to people ${words}.`;
  return h(
    "section",
    { class: "card card--6", key: "reasons", "aria-labelledby": "reasons-title" },
    h("h2", { id: "reasons-title" }, "Why people were asked"),
    h("p", { class: "card-lead" }, lead),
    list(escalations, now, "escalation"),
    rest(escalations),
  );
}

/** @param {any} period @param {number} now @param {string} words */
export function failures({ failures: found }, now, words) {
  const [first] = found.causes;
  const lead = first ? sentence(headline(first, found.count, "failed runs")) : `No run of an agent failed ${words}.`;
  return h(
    "section",
    { class: "card card--6", key: "failures", "aria-labelledby": "failures-title" },
    h("h2", { id: "failures-title" }, "Runs that failed"),
    h("p", { class: "card-lead" }, lead),
    list(found, now, "missed"),
    rest(found),
  );
}

/** @param {any} found */
function rest(found) {
  const more = found.causes.length - 8;
  return more > 0 || found.causes_more ? h("p", { class: "card-note" }, `and ${found.causes_more ? "many" : more} more causes`) : null;
}
