// Screens, settings: the policies of each kind. Their forms are drawn from the schema that comes with them.

import { counted } from "../core/format.js";
import { noted } from "./notes.js";
import { rehearsal } from "./rehearsal.js";
import { EVERYBODY, LEADS } from "./roles.js";
import { majorOf, spelled } from "./units.js";

/** @type {[string, string, string, string, string, string][]} kind, group, title, what one is called, icon, what they are for */
const KINDS = [
  ["route", "Judgement", "Routing", "routing policy", "route", "Who responds: people by rules, the AI alone where it is sure enough. For the agent of the same name; “default” is for all that have none."],
  ["sla", "Clocks", "SLA policies", "SLA policy", "clock", "By when a customer is answered, and a thread resolved. Queues go by them."],
  ["response", "Clocks", "No response", "policy", "snooze", "What is done where nobody answers: the customer, or the team. Queues go by them."],
  ["chain", "Clocks", "Escalation chains", "chain", "steps", "Who is called when something waits for too long, step by step. Queues go by them."],
  ["notification", "Word", "Notifications", "policy", "bell", "Of what operators are told outside the inbox, and over which channels."],
  ["limit", "Costs", "Limits", "limit", "limit", "How much AI agents may spend and do before people are asked."],
  ["price", "Costs", "Prices", "price", "coin", "What the models cost."],
  ["rate", "Costs", "Rates", "rate", "person", "What an hour of an operator's work costs. A rate for the operator comes before one for the queue, and that before one for everybody."],
];
const OF_QUEUES = ["sla", "response", "chain"];
const MOST_FACTS = 3;

/** @param {string} kind @param {string} name */
const path = (kind, name) => `/api/policies/${kind}/${encodeURIComponent(name)}`;

/** @type {import("./sections.js").Section[]} */
export const policies = KINDS.map(([kind, group, title, one, icon, about]) => ({
  id: kind,
  group,
  title,
  icon,
  one,
  about,
  path: `/api/policies/${kind}`,
  sees: EVERYBODY,
  changes: LEADS,
  who: `Leads and admins change ${title === "No response" ? "these policies" : title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}.`,
  key: (item) => item.name,
  name: (item) => item.name,
  line: (settings, item) => (kind === "route" ? routeFacts(item.rules) : [usedBy(settings, kind, item), facts(item.rules)].filter(Boolean).join(" · ")),
  schema: ({ state }, item) => {
    const { $defs, ...rules } = noted(kind, state.parts[kind].schema ?? {});
    return {
      $defs,
      type: "object",
      required: ["name", "rules"],
      properties: {
        ...(item ? {} : { name: { type: "string", maxLength: 100, ui: { hint: kind === "route" ? "The name of an agent, or “default” for all that have none of their own." : "Stays as it is: queues and reports know it by its name." } } }),
        rules: { ...rules, description: undefined, ui: { ...rules.ui, flat: true } },
      },
    };
  },
  value: (item) => ({ rules: item.rules }),
  save: ({ api }, item, { name, rules }) => api.put(path(kind, item?.name ?? name), { rules }),
  remove: {
    words: "Delete",
    why: (item) =>
      OF_QUEUES.includes(kind)
        ? `${item.name} is forgotten. It cannot be while a queue goes by it; what runs by it already goes on.`
        : kind === "route"
          ? `${item.name} is forgotten. What was decided by it stays as it is.`
          : `${item.name} is forgotten. What was counted by it stays as it is.`,
    run: ({ api }, item) => api.delete(path(kind, item.name)),
  },
  ...(kind === "route" ? { trial: rehearsal } : {}),
}));

/** @param {import("./state.js").Settings} settings @param {string} kind @param {any} item */
function usedBy({ state }, kind, item) {
  if (!OF_QUEUES.includes(kind)) return "";
  const names = state.parts.queues.items.filter((/** @type {any} */ queue) => queue[kind] === item.name).map((queue) => queue.name);
  return names.length ? `for ${names.join(", ")}` : "for no queue yet";
}

/** The ways of a message that a routing policy has, in their order. @param {any} rules */
function routeFacts({ rules = [], safety, classifier, examples, floor }) {
  const learned = floor && `at most ${Math.round(floor.max_error * 1000) / 10} % wrong`;
  const ways = [
    rules.length > 0 && counted(rules.length, "rule"),
    safety && "safety gate",
    classifier && (classifier.by === "llm" ? "a model judges" : "a classifier judges"),
    examples && "nearest examples",
    floor && (floor.fixed === null || floor.fixed === undefined ? learned : `floor ${floor.fixed}`),
  ];
  return ways.filter(Boolean).join(" · ") || "the AI answers everything";
}

/** The first facts of the rules, in words. @param {any} rules */
function facts(rules) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} name @param {any} value @param {string} currency */
  const look = (name, value, currency) => {
    if (value === null || value === "" || value === false || name === "currency") return;
    const label = name.replace(/_seconds$|_minor$|\.seconds$/, "").replaceAll("_", " ").replaceAll(".", " ");
    if (Array.isArray(value)) {
      if (value.length) found.push(typeof value[0] === "object" ? `${value.length} ${label}` : value.map(String).join(", "));
    } else if (typeof value === "object") {
      const inner = value.currency ?? currency;
      for (const [key, one] of Object.entries(value)) look(key === "seconds" ? `${name}.seconds` : key, one, inner);
    } else if (/seconds$/.test(name)) found.push(`${label} ${spelled(value)}`.trim());
    else if (currency && (/_minor$|^per_/.test(name))) found.push(`${majorOf(value, currency)} ${currency} ${label}`);
    else found.push(value === true ? label : `${label} ${String(value).replaceAll("_", " ")}`);
  };
  look("", rules, "");
  return found.slice(0, MOST_FACTS).join(" · ");
}
