// Screens, settings: the queues: who works them, when, and by which policies.

import { EVERYBODY, LEADS } from "./roles.js";

const CHOOSERS = [
  { const: "pull", title: "Pull: operators take the next one themselves" },
  { const: "balanced", title: "Balanced: whoever holds the least is given it" },
  { const: "round_robin", title: "Round robin: each in turn" },
];
const FACTS = ["skills", "chooser", "calendar", "lease_seconds", "sla", "response", "chain"];
const path = (/** @type {string} */ name) => `/api/queues/${encodeURIComponent(name)}`;
const WEEK = Object.fromEntries(["mon", "tue", "wed", "thu", "fri"].map((day) => [day, [["09:00", "17:30"]]]));

const CALENDAR = () => ({
  type: "object",
  required: ["zone", "hours", "closed"],
  properties: {
    zone: { type: "string", default: Intl.DateTimeFormat().resolvedOptions().timeZone, ui: { label: "Time zone" } },
    holidays: {
      type: ["string", "null"],
      maxLength: 10,
      ui: { label: "Public holidays", hint: "Of a country such as FR, or a part of one such as DE-BY. Closed all day." },
    },
    hours: { type: "object", default: WEEK, ui: { kind: "hours", label: "Hours" } },
    closed: { type: "array", items: { type: "string" }, ui: { kind: "days", label: "Other days closed" } },
  },
});

/** @param {string} kind @param {string} label @param {string} hint */
const policy = (kind, label, hint) => ({ type: ["string", "null"], ui: { source: kind, label, hint } });

/** @type {import("./sections.js").Section} */
export const queues = {
  id: "queues",
  group: "Team",
  title: "Queues",
  icon: "inbox",
  one: "queue",
  about: "The lines in which threads and requests wait for people: who works them, when, and by which policies.",
  path: "/api/queues",
  sees: EVERYBODY,
  changes: LEADS,
  who: "Leads and admins change queues.",
  key: (item) => item.name,
  name: (item) => item.name,
  line: (_, { chooser, calendar, sla, response, chain, skills }) =>
    [
      chooser.replace("_", " "),
      calendar ? `open hours, ${calendar.zone}` : "always open",
      ...[sla, response, chain].filter(Boolean),
      skills.length && `needs ${skills.join(", ")}`,
    ]
      .filter(Boolean)
      .join(" · "),
  schema: ({ known }, item) => ({
    type: "object",
    required: ["name", "skills", "chooser", "lease_seconds"],
    properties: {
      ...(item ? {} : { name: { type: "string", maxLength: 100, ui: { hint: "Stays as it is: programs know the queue by it." } } }),
      chooser: { oneOf: CHOOSERS, default: "pull", ui: { label: "How it is given out" } },
      lease_seconds: {
        type: "integer",
        minimum: 10,
        maximum: 86_400,
        default: 300,
        ui: { label: "Given back after", hint: "Without a sign of life from whoever was given it." },
      },
      skills: { type: "array", items: { type: "string" }, ui: { label: "Skills needed", hint: "Only operators who have all of them.", none: "None needed" } },
      ...(known("sla") ? { sla: policy("sla", "SLA policy", "By when the customer is answered.") } : {}),
      ...(known("response") ? { response: policy("response", "When nobody responds", "What is done where the customer, or the team, is silent.") } : {}),
      ...(known("chain") ? { chain: policy("chain", "Escalation chain", "Who is called, in which order.") } : {}),
      calendar: { anyOf: [CALENDAR(), { type: "null" }], default: null, ui: { label: "Working hours", none: "Always open.", hint: "Clocks stand still, and nobody is promised an answer, while the queue is closed." } },
    },
  }),
  value: (item) => Object.fromEntries(FACTS.map((name) => [name, item[name]])),
  save: ({ api }, item, value) => {
    const calendar = tidy(value.calendar);
    return item ? api.patch(path(item.name), { ...value, calendar }) : api.post("/api/queues", { ...value, calendar });
  },
  remove: {
    words: "Delete",
    why: (item) => `The queue ${item.name} is forgotten. It cannot be while something waits in it.`,
    run: ({ api }, item) => api.delete(path(item.name)),
  },
};

/** What is not set is left out. @param {any} calendar */
function tidy(calendar) {
  if (!calendar) return null;
  const { holidays, ...rest } = calendar;
  return holidays ? { ...rest, holidays: holidays.trim().toUpperCase() } : rest;
}
