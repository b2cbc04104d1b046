// Screens, judgement: who responded over time, and why.

import { bars, stacks, table } from "../board/charts.js";
import { h } from "../core/dom.js";
import { capital } from "../core/format.js";
import { percent } from "../board/words.js";

const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const MOST = 9;
/** @type {Record<string, {look: string, words: string}>} */
export const RESPONDERS = {
  ai: { look: "agent", words: "AI alone" },
  draft: { look: "draft", words: "AI drafts, a person sends" },
  human: { look: "operator", words: "people" },
};

/** @param {any} shares */
export function totalsOf({ buckets }) {
  const sum = (/** @type {string} */ name) => buckets.reduce((/** @type {number} */ all, /** @type {any} */ one) => all + one[name], 0);
  const [ai, draft, human] = [sum("ai"), sum("draft"), sum("human")];
  return { ai, draft, human, all: ai + draft + human };
}

/** @param {string} key @param {string} title @param {string} lead @param {...any} body */
function card(key, title, lead, ...body) {
  return h("section", { class: "card card--6", key, "aria-labelledby": `${key}-title` }, h("h2", { id: `${key}-title` }, title), h("p", { class: "card-lead" }, lead), body);
}

/** The days of the period as they are here, with what came on each: the server counts by hour, and says nothing of silent ones.
 * @param {any[]} buckets @param {string} since @param {number} now */
function daysOf(buckets, since, now) {
  /** @type {Map<string, {at: number, ai: number, draft: number, human: number}>} */
  const days = new Map();
  for (const day = new Date(since); day.getTime() <= now; day.setDate(day.getDate() + 1)) {
    days.set(day.toDateString(), { at: day.getTime(), ai: 0, draft: 0, human: 0 });
  }
  for (const { at, ai, draft, human } of buckets) {
    const day = days.get(new Date(at).toDateString());
    if (day) Object.assign(day, { ai: day.ai + ai, draft: day.draft + draft, human: day.human + human });
  }
  return [...days.values()];
}

/** @param {any} shares @param {string} since the beginning of the period @param {string} words of the period @param {number} now */
export function sharesCard(shares, since, words, now) {
  const { ai, draft, human, all } = totalsOf(shares);
  if (!all) return card("shares", "Who responds", `Nobody has written ${words}. Every message that comes in is given to the AI, to the AI with a person who sends its draft, or to people; how many to whom is seen here.`);
  const days = daysOf(shares.buckets, since, now);
  const labels = days.map((one) => dayFormat.format(one.at));
  const lead = `The AI alone responded to ${percent(ai, all)} of ${all.toLocaleString("en")} messages, drafted for people at ${percent(draft, all)}, and people had ${percent(human, all)}.`;
  const part = (/** @type {"ai" | "draft" | "human"} */ name) => days.map((one) => one[name]);
  return card(
    "shares",
    "Who responds",
    lead,
    stacks({
      id: "shares-chart",
      title: lead,
      labels,
      parts: [
        { name: `AI ${percent(ai, all)}`, look: "agent", values: part("ai") },
        { name: `drafts ${percent(draft, all)}`, look: "draft", values: part("draft") },
        { name: `people ${percent(human, all)}`, look: "operator", values: part("human") },
      ],
    }),
    table(
      ["Day", "AI alone", "Drafts", "People", "AI alone, in %"],
      days.map((one, at) => [labels[at], one.ai, one.draft, one.human, percent(one.ai, one.ai + one.draft + one.human)]),
    ),
  );
}

/** @param {any} shares @param {string} words of the period */
export function reasonsCard({ reasons }, words) {
  const sorted = [...reasons].sort((a, b) => b.count - a.count);
  const all = sorted.reduce((sum, one) => sum + one.count, 0);
  if (!all) return card("reasons", "Why", `Nothing was decided ${words}. Each message takes the first way that decides: who holds it, rules, the safety gate, a check, the classifier, examples, how sure the agent is.`);
  const away = sorted.filter((one) => one.responder !== "ai");
  const kept = away.reduce((sum, one) => sum + one.count, 0);
  const lead = kept
    ? `What most often keeps the AI from answering alone: ${away[0].reason} (${away[0].count.toLocaleString("en")} of ${kept.toLocaleString("en")} times).`
    : "Nothing kept the AI from answering alone.";
  return card(
    "reasons",
    "Why",
    lead,
    bars(
      sorted.slice(0, MOST).map((one) => ({
        key: `${one.responder} ${one.reason}`,
        value: one.count,
        look: RESPONDERS[one.responder]?.look ?? "neutral",
        label: [capital(one.reason), h("span", { class: "quiet" }, ` · ${RESPONDERS[one.responder]?.words ?? one.responder}`)],
        words: [h("b", null, one.count.toLocaleString("en")), ` · ${percent(one.count, all)}`],
      })),
      all,
    ),
    sorted.length > MOST && h("p", { class: "card-note" }, `and ${sorted.length - MOST} more reasons`),
  );
}
