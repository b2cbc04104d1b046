// Screens, settings: the operators.

import { ADMINS, EVERYBODY } from "./roles.js";

const ROLES = [
  { const: "observer", title: "Observer: reads everything, changes nothing" },
  { const: "operator", title: "Operator: works threads" },
  { const: "lead", title: "Lead: also changes queues and policies" },
  { const: "admin", title: "Admin: also changes operators, keys and webhooks" },
];
const path = (/** @type {any} */ item) => `/api/operators/${encodeURIComponent(item.id)}`;
const FACTS = ["name", "email", "role", "skills", "languages", "queues", "capacity"];

/** @type {import("./sections.js").Section} */
export const operators = {
  id: "operators",
  group: "Team",
  title: "Operators",
  icon: "team",
  one: "operator",
  about: "The people who work here: what they may do, what they can do, and how much they hold at once.",
  path: "/api/operators",
  paged: true,
  sees: EVERYBODY,
  changes: ADMINS,
  who: "Admins change operators.",
  key: (item) => item.id,
  name: (item) => item.name,
  line: (_, item) =>
    [item.role, item.queues.length ? item.queues.join(", ") : "all queues", `holds up to ${item.capacity}`, item.skills.join(", ")]
      .filter(Boolean)
      .join(" · "),
  schema: (_, item) => ({
    type: "object",
    required: ["name", "email", "role", "skills", "languages", "queues", "capacity"],
    properties: {
      name: { type: "string", maxLength: 100, ui: { hint: "Customers see it beside their answers." } },
      email: { type: "string", format: "email", ui: { hint: "They sign in with it." } },
      role: { oneOf: ROLES, default: "operator" },
      capacity: {
        type: "number",
        minimum: 0,
        maximum: 1000,
        default: 6,
        ui: { hint: "How many threads at once. A question counts as 0.3 of one, an approval as 0.2." },
      },
      skills: {
        type: "array",
        items: { type: "string" },
        ui: { hint: "Queues and requests may ask for some.", source: "skills" },
      },
      languages: {
        type: "array",
        items: { type: "string" },
        ui: { hint: "Such as en, fr. None means any.", none: "Any" },
      },
      queues: { type: "array", items: { type: "string" }, ui: { hint: "None chosen means all of them.", none: "Works all queues." } },
      password: {
        type: "string",
        format: "password",
        ui: { label: item ? "New password" : "Password", hint: item ? "Leave it empty to keep the one they have." : "At least 8 characters." },
      },
    },
  }),
  value: (item) => Object.fromEntries(FACTS.map((name) => [name, item[name]])),
  save: ({ api }, item, value) => (item ? api.patch(path(item), value) : api.post("/api/operators", value)),
  remove: {
    words: "Disable",
    why: (item) => `${item.name} is signed out, and their keys open nothing any more. What they wrote stays. This cannot be undone here.`,
    run: ({ api }, item) => api.delete(path(item)),
    may: ({ state }, item) => item.id !== state.me?.id,
  },
};
