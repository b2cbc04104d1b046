// Screens, inbox: the context of a thread: the customer, why it is here, what was asked before, what it cost.

import { h } from "../core/dom.js";
import { ago, capital, clock, dayLabel, ms, sameDay, shorten } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, iconButton } from "../core/parts.js";
import { activityOfChange, reasonText } from "./activity.js";
import { choicesView } from "./choices.js";
import { routeView } from "./routes.js";
import { agentName, customerName, faceOf, heldByMe, holderName, isWaiting, needsPerson, subjectOf } from "./state.js";
import { urlOf } from "./url.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("../core/types.js").Thread} Thread */
/** @typedef {import("../core/types.js").Request} Request */

/** @param {Desk} desk @param {Thread} thread */
export function context(desk, thread) {
  const { state } = desk;
  const requests = [...(state.conversations.get(thread.id)?.requests.values() ?? [])].sort(
    (a, b) => ms(b.created_at) - ms(a.created_at),
  );
  return h(
    "aside",
    { class: "context", id: "context", "aria-label": "Context of this thread", tabindex: "-1", key: "context" },
    h(
      "div",
      { class: "context-header" },
      avatar("customer", customerName(thread), { size: "large" }),
      h(
        "div",
        { class: "grow" },
        h("h2", null, customerName(thread)),
        h(
          "p",
          { class: "quiet" },
          `First wrote ${ago(thread.created_at, state.now) === "now" ? "just now" : `${ago(thread.created_at, state.now)} ago`}`,
        ),
      ),
      iconButton("Close context", "close", () => desk.toggleContext(), { class: "only-narrow" }),
    ),
    panel("why", whyTitle(state, thread), [
      whyMe(desk, thread, requests),
      routeView(state, thread),
      choicesView(state, state.conversations.get(thread.id)?.choices ?? []),
    ]),
    thread.summary && panel("summary", "Summary by AI", h("p", null, thread.summary)),
    panel("customer", "Customer", customerFacts(thread, state.now)),
    earlierPanel(desk, thread),
    usagePanel(desk, thread),
    panel(
      "requests",
      ["Requests ", h("span", { class: "count" }, requests.length)],
      requests.length ? history(desk, requests) : h("p", { class: "quiet" }, "The AI has not asked for anything here."),
    ),
    handsPanel(desk, thread),
    (thread.tags ?? []).length > 0 &&
      panel(
        "tags",
        ["Tags ", h("span", { class: "count" }, thread.tags?.length)],
        h(
          "p",
          { class: "tags" },
          (thread.tags ?? []).map((tag) => h("span", { class: "tag", key: tag }, tag)),
        ),
      ),
    h(
      "div",
      { class: "context-end", key: "end" },
      h(
        "a",
        {
          class: "button button--small",
          href: `/api/threads/${encodeURIComponent(thread.id)}/transcript?format=text`,
          download: `transcript-${thread.id}.txt`,
        },
        icon("download"),
        "Download transcript",
      ),
      h("p", { class: "quiet" }, "With notes, for the team only."),
    ),
  );
}

/** @param {import("./state.js").State} state @param {Thread} thread */
function whyTitle(state, thread) {
  if (heldByMe(thread, state.me)) return "Why me";
  const { choices = [] } = state.conversations.get(thread.id) ?? {};
  return choices.length || thread.assignment.to === "operator" ? "Why not me" : "Why here";
}

/** What else this customer has asked. @param {Desk} desk @param {Thread} thread */
function earlierPanel(desk, thread) {
  const { state } = desk;
  const earlier = state.conversations.get(thread.id)?.earlier ?? [];
  if (!earlier.length) return null;
  return panel(
    "earlier",
    ["Other threads ", h("span", { class: "count" }, earlier.length)],
    h(
      "ul",
      { class: "history" },
      earlier.map((one) =>
        h(
          "li",
          { key: one.id },
          h(
            "a",
            { href: urlOf({ ...state.view, thread: one.id }), onclick: desk.follow({ thread: one.id }) },
            h("span", { class: "grow truncate" }, one.subject || shorten(one.preview?.text ?? "", 60) || subjectOf(state, one)),
            one.status !== "open" && h("span", { class: "quiet" }, one.status),
            h("span", { class: "quiet" }, ago(one.updated_at, state.now)),
          ),
        ),
      ),
    ),
  );
}

/** Who had it, since when, and why. @param {Desk} desk @param {Thread} thread */
function handsPanel({ state }, thread) {
  const conversation = state.conversations.get(thread.id);
  const changes = (conversation?.changes ?? []).filter((change) => change.cause !== "opened");
  if (!changes.length) return null;
  return panel(
    "hands",
    ["Hands ", h("span", { class: "count" }, changes.length)],
    h(
      "ol",
      { class: "hands" },
      changes.toReversed().map((change) => {
        const row = activityOfChange(state, change);
        return (
          row &&
          h(
            "li",
            { key: String(change.epoch) },
            h(
              "time",
              { datetime: new Date(ms(change.at)).toISOString() },
              sameDay(change.at, state.now) ? clock(change.at) : ago(change.at, state.now),
            ),
            h("span", null, h("b", null, `${row.who} ${row.what}`), row.why && `: ${row.why}`),
          )
        );
      }),
    ),
  );
}

/** @param {string} key @param {any} title @param {any} body */
function panel(key, title, body) {
  return h(
    "details",
    { class: "panel", open: true, key: `panel:${key}` },
    h("summary", null, h("h3", null, title), icon("down")),
    h("div", { class: "panel-body" }, body),
  );
}

/** @param {Desk} desk @param {Thread} thread @param {Request[]} requests */
function whyMe({ state }, thread, requests) {
  const { to, reason, since } = thread.assignment;
  const waiting = requests.filter(needsPerson);
  const rows = [
    line(
      "person",
      `${capital(holderName(state, thread))} ${heldByMe(thread, state.me) ? "hold" : to === "queue" ? "has" : "holds"} it since ${clock(since)}.`,
      reason ? `${capital(reason.replace(/\.$/, ""))}.` : "",
    ),
    ...waiting.map((request) =>
      line(
        request.kind,
        waitsFor(state, thread, request),
        [capital(reasonText(request)), request.queue && `Queue ${request.queue}`]
          .filter(Boolean)
          .map((one) => `${one}.`)
          .join(" "),
      ),
    ),
    !waiting.length &&
      to === "ai" &&
      line("check", "Nothing waits for a person.", thread.mode === "auto" ? "The AI answers alone." : ""),
  ];
  return h("ol", { class: "why" }, rows);
}

/** @param {import("./state.js").State} state @param {Thread} thread @param {Request} request */
function waitsFor(state, thread, request) {
  if (!isWaiting(request)) return `Nobody knows whether ${request.tool ?? "the call"} ran.`;
  const what = {
    question: "an answer",
    approval: request.draft ? "its draft to be approved" : "an approval",
    escalation: "a person",
  };
  return `${capital(request.agent || agentName(state, thread))} waits for ${what[request.kind]}.`;
}

/** @param {string} name @param {string} strong @param {string} text */
function line(name, strong, text) {
  return h("li", null, icon(name), h("span", null, h("b", null, strong), text && ` ${text}`));
}

/** @param {Thread} thread @param {number} now */
function customerFacts(thread, now) {
  const more = Object.entries(thread.metadata ?? {}).filter(([, value]) => value !== null && typeof value !== "object");
  return h(
    "dl",
    { class: "facts" },
    thread.language && [h("dt", null, "Language"), h("dd", null, languageName(thread.language))],
    more.map(([name, value]) => [
      h("dt", { key: `t:${name}` }, capital(name.replaceAll("_", " "))),
      h("dd", { key: `d:${name}` }, String(value)),
    ]),
    h("dt", null, "Since"),
    h("dd", null, `${dayLabel(thread.created_at, now)}, ${clock(thread.created_at)}`),
    thread.customer && [h("dt", null, "Id"), h("dd", null, h("code", null, thread.customer))],
  );
}

/** @param {string} code */
function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** What agents and people have spent on it. @param {Desk} desk @param {Thread} thread */
function usagePanel({ state }, thread) {
  const entries = state.conversations.get(thread.id)?.usage ?? [];
  if (!entries.length) return null;
  /** @type {Map<string, {who: string, tokens: number, seconds: number, cost: number, currency: string}>} */
  const sums = new Map();
  for (const entry of entries) {
    const who = entry.agent ?? (entry.operator === state.me?.id ? "You" : entry.operator) ?? "Desk";
    // Sums of different currencies are different sums; what has no price yet belongs to none of them.
    const key = `${who} ${entry.currency ?? ""}`;
    const sum = sums.get(key) ?? { who, tokens: 0, seconds: 0, cost: 0, currency: entry.currency ?? "" };
    sum.tokens += (entry.input_tokens ?? 0) + (entry.output_tokens ?? 0);
    sum.seconds += entry.seconds ?? 0;
    // A single entry may cost less than a cent: what is added up is not rounded.
    sum.cost += (entry.cost_nanos ?? 0) / 1e9;
    sums.set(key, sum);
  }
  return panel(
    "usage",
    "Usage and cost",
    h(
      "dl",
      { class: "facts facts--end" },
      [...sums].map(([key, sum]) => [
        h(
          "dt",
          { key: `t:${key}` },
          `${capital(sum.who)}${sum.tokens ? `, ${sum.tokens.toLocaleString("en")} tokens` : ""}${sum.seconds >= 1 ? `, ${Math.round(sum.seconds)} s` : ""}`,
        ),
        h("dd", { key: `d:${key}` }, money(sum.cost, sum.currency)),
      ]),
    ),
  );
}

/** @param {number} minor @param {string} currency */
function money(minor, currency) {
  if (!currency) return "–";
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** @param {Desk} desk @param {Request[]} requests */
function history(desk, requests) {
  return h(
    "ul",
    { class: "history" },
    requests.map((request) =>
      h(
        "li",
        { key: request.id },
        h(
          "a",
          {
            href: `#request-${request.id}`,
            onclick: (/** @type {Event} */ event) => {
              event.preventDefault();
              desk.focusOn(request.id);
            },
          },
          h(
            "span",
            { class: `kind kind--${faceOf(request).name}` },
            icon(faceOf(request).name),
            h("span", { class: "sr" }, faceOf(request).word),
          ),
          h(
            "span",
            { class: "grow" },
            shorten(request.question || request.tool || request.reason || request.suggestion || "Request", 60),
          ),
          h(
            "span",
            { class: "quiet" },
            isWaiting(request)
              ? "waits"
              : request.decision?.by
                ? `by ${request.decision.by.id === desk.state.me?.id ? "you" : request.decision.by.name}`
                : request.state.replace("_", " "),
          ),
        ),
      ),
    ),
  );
}
