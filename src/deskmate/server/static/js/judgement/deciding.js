// Screens, judgement: what becomes of a topic: edited, accepted, dismissed. What is typed stays while the page loads itself anew.

import { begun } from "./topics.js";

/** @typedef {import("./topics.js").Work} Work */

/**
 * @param {{state: import("./main.js").State, changed: () => void, flush: () => void,
 *   api: ReturnType<typeof import("../core/api.js").createApi>}} page
 */
export function createDeciding({ state, changed, flush, api }) {
  /** @type {Map<string, Work>} */
  const works = new Map();

  /** @param {any} topic */
  function workOf(topic) {
    let work = works.get(topic.id);
    if (!work) works.set(topic.id, (work = begun(topic)));
    // Nobody has touched it: it may have grown since.
    if (!work.mode && !work.busy && !work.done && !work.error) Object.assign(work, { question: topic.question, answer: topic.answer });
    return work;
  }

  /** @param {string} id */
  function focus(id) {
    flush();
    document.getElementById(id)?.focus();
  }

  /** @param {any} topic @param {Work["mode"]} mode @param {boolean} [undo] */
  function mode(topic, mode, undo = false) {
    const work = workOf(topic);
    const { mode: before } = work;
    Object.assign(work, { mode, error: "" });
    if (undo) Object.assign(work, { question: topic.question, answer: topic.answer });
    changed();
    focus(mode === "edit" ? `question-${topic.id}` : mode === "dismiss" ? `reason-${topic.id}` : before === "dismiss" ? `ask-dismiss-${topic.id}` : `edit-${topic.id}`);
  }

  /** @param {Work} work @param {"question" | "answer" | "reason"} field @param {string} text */
  function type(work, field, text) {
    work[field] = text;
    work.error = "";
    changed();
  }

  /** @param {any} topic @param {string} verb @param {Record<string, string>} body @param {string} done */
  async function decide(topic, verb, body, done) {
    const work = workOf(topic);
    if (work.busy) return;
    Object.assign(work, { busy: true, error: "" });
    changed();
    try {
      await api.post(`/api/suggestions/${encodeURIComponent(topic.id)}/${verb}`, body);
      Object.assign(work, { done, mode: "" });
      state.said = `${work.question} ${done}`;
      changed();
      focus(nextTo(topic));
    } catch (error) {
      work.error = /** @type {any} */ (error).message;
    }
    work.busy = false;
    changed();
  }

  /** Where the hands go on: the next topic, or the top of them. @param {any} topic */
  function nextTo(topic) {
    const items = state.topics?.items ?? [];
    const rest = items.slice(items.indexOf(topic) + 1).find((/** @type {any} */ one) => !workOf(one).done);
    return rest ? `accept-${rest.id}` : "topics-title";
  }

  /** @param {any} topic */
  function accept(topic) {
    const { question, answer } = workOf(topic);
    const body = {
      ...(question.trim() === topic.question ? {} : { question: question.trim() }),
      ...(answer.trim() === topic.answer ? {} : { answer: answer.trim() }),
    };
    return decide(topic, "accept", body, "is in the FAQ: the AI answers it from now on.");
  }

  /** @param {any} topic */
  function dismiss(topic) {
    const reason = workOf(topic).reason.trim();
    return decide(topic, "dismiss", reason ? { reason } : {}, "is dismissed: people go on answering it.");
  }

  return { workOf, mode, type, accept, dismiss };
}
