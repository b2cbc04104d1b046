// Screens, judgement: questions that people answer again and again, ready to be answered by the AI: read, edited in place, accepted.

import { h } from "../core/dom.js";
import { ago, counted, full, iso, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, broken, button } from "../core/parts.js";

/** @typedef {import("./main.js").Judgement} Judgement */
/** @typedef {{mode: "" | "edit" | "dismiss", question: string, answer: string, reason: string, busy: boolean, error: string, done: string}} Work
 *   what is being done with one topic; `done`: what became of it */

/** @param {any} topic @returns {Work} */
export const begun = ({ question, answer }) => ({ mode: "", question, answer, reason: "", busy: false, error: "", done: "" });

/** @param {Judgement} page @param {number} now */
export function topicsCard(page, now) {
  const { topics, problems } = page.state;
  const open = (topics?.items ?? []).filter((/** @type {any} */ one) => !page.workOf(one).done);
  const times = open.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.times, 0);
  const lead = open.length
    ? `People have answered ${counted(open.length, "question")} ${times} times that the AI could answer. ${page.state.leads ? "Accept an answer, and the AI gives it from now on." : "Leads decide whether it does."}`
    : topics?.items.length
      ? "All of them are decided."
      : "Nothing waits. When people answer the same question again and again, it stands here with the answer that they gave, ready for the FAQ.";
  return h(
    "section",
    { class: "card card--12", key: "topics", id: "topics", "aria-labelledby": "topics-title" },
    h("h2", { id: "topics-title", tabindex: "-1" }, "Unanswered topics"),
    problems.topics && !topics ? broken("The topics", problems.topics, () => void page.load()) : h("p", { class: "card-lead" }, lead),
    h("p", { class: "sr", role: "status", key: "said" }, page.state.said),
    h(
      "ul",
      { class: "topics" },
      (topics?.items ?? []).map((/** @type {any} */ one) => topicView(page, one, now)),
    ),
    topics?.cursor && button("Show more", () => void page.more(), { look: "small", class: "topics-more" }),
  );
}

/** @param {Judgement} page @param {any} topic @param {number} now */
function topicView(page, topic, now) {
  const work = page.workOf(topic);
  if (work.done) return h("li", { key: topic.id }, h("p", { class: "topic topic--done" }, icon("check", true), h("b", null, shorten(work.question, 90)), ` ${work.done}`));
  return h(
    "li",
    { key: topic.id },
    h(
      "article",
      { class: "topic", id: `topic-${topic.id}`, "aria-label": topic.question },
      work.mode === "edit" ? fields(page, topic, work) : read(topic, work),
      heard(topic, now),
      work.error && h("p", { class: "field-error", role: "alert" }, icon("info", true), h("span", null, work.error)),
      page.state.leads && ways(page, topic, work),
    ),
  );
}

/** @param {any} topic @param {Work} work */
function read(topic, work) {
  return [
    h("h3", { key: "question" }, work.question),
    h("p", { class: "topic-answer", key: "answer" }, h("span", { class: "badge badge--operator" }, "People say"), " ", work.answer),
  ];
}

/** @param {Judgement} page @param {any} topic @param {Work} work */
function fields({ type }, topic, work) {
  return h(
    "div",
    { class: "topic-fields", key: "fields" },
    h("div", { class: "field" }, h("label", { for: `question-${topic.id}` }, "Question"), h("input", { class: "input", id: `question-${topic.id}`, value: work.question, autocomplete: "off", oninput: (/** @type {any} */ event) => type(work, "question", event.target.value) })),
    h(
      "div",
      { class: "field" },
      h("label", { for: `answer-${topic.id}` }, "Answer, as the AI gives it"),
      h("textarea", { class: "input", id: `answer-${topic.id}`, rows: Math.min(10, Math.max(3, Math.ceil(work.answer.length / 70))), value: work.answer, oninput: (/** @type {any} */ event) => type(work, "answer", event.target.value) }),
    ),
  );
}

/** How often, by whom, and in whose words. @param {any} topic @param {number} now */
function heard(topic, now) {
  const names = topic.operators;
  const when = (/** @type {any} */ time) => h("time", { datetime: iso(time), title: full(time) }, ago(time, now) === "now" ? "just now" : `${ago(time, now)} ago`);
  return h(
    "div",
    { class: "topic-heard", key: "heard" },
    h("p", { class: "quiet" }, h("b", null, `Asked ${counted(topic.times, "time")}`), ", the last one ", when(topic.last_at), names.length > 0 && [", answered by ", names.map((/** @type {string} */ name, /** @type {number} */ i) => [i > 0 && ", ", avatar("operator", name, { size: "mini" }), name])]),
    topic.questions.length > 0 &&
      h(
        "details",
        { class: "places" },
        h("summary", null, `In ${topic.questions.length === topic.times ? "their" : counted(topic.questions.length, "customer's", "customers'")} words`),
        h(
          "ul",
          null,
          topic.questions.map((/** @type {any} */ one) =>
            h("li", { key: `${one.thread} ${one.at}` }, one.thread ? h("a", { href: `/inbox/threads/${encodeURIComponent(one.thread)}?assignment=all` }, shorten(one.text, 140)) : h("span", null, shorten(one.text, 140)), h("span", { class: "quiet" }, when(one.at))),
          ),
        ),
      ),
  );
}

/** @param {Judgement} page @param {any} topic @param {Work} work */
function ways(page, topic, work) {
  const { id } = topic;
  const changed = work.question !== topic.question || work.answer !== topic.answer;
  const full = work.question.trim() && work.answer.trim();
  if (work.mode === "dismiss") {
    return h(
      "form",
      {
        class: "topic-ways topic-ways--reason",
        key: "dismiss",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void page.dismiss(topic);
        },
      },
      h("div", { class: "field" }, h("label", { for: `reason-${id}` }, "Why not, optional"), h("input", { class: "input", id: `reason-${id}`, value: work.reason, autocomplete: "off", placeholder: "Different for each customer", oninput: (/** @type {any} */ event) => page.type(work, "reason", event.target.value) })),
      button("Dismiss", () => undefined, { type: "submit", look: "primary", disabled: work.busy, id: `dismiss-${id}` }),
      button("Back", () => page.mode(topic, ""), { look: "plain", disabled: work.busy }),
    );
  }
  return h(
    "div",
    { class: "topic-ways", key: "ways" },
    button(changed ? "Accept with changes" : "Accept", () => void page.accept(topic), { look: "primary", disabled: work.busy || !full, id: `accept-${id}` }),
    work.mode === "edit"
      ? button(changed ? "Undo changes" : "Back", () => page.mode(topic, "", true), { look: changed ? "" : "plain", disabled: work.busy })
      : button("Edit", () => page.mode(topic, "edit"), { disabled: work.busy, id: `edit-${id}` }),
    work.mode === "" && button("Dismiss…", () => page.mode(topic, "dismiss"), { look: "plain", disabled: work.busy, id: `ask-dismiss-${id}` }),
  );
}
