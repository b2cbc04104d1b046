// Screens, settings: what is kept ready for operators: canned replies, and macros.

import { EVERYBODY, LEADS } from "./roles.js";

const VARIABLES = "{{customer.name}}, {{operator.name}}, {{thread.id}} and {{thread.subject}} are filled in; {{customer.name|there}} says “there” where there is none.";

/** @type {import("./sections.js").Section} */
export const cannedReplies = {
  id: "canned",
  group: "Writing",
  title: "Canned replies",
  icon: "slash",
  one: "canned reply",
  about: "Texts that operators put in with / and a shortcut.",
  path: "/api/canned",
  paged: true,
  sees: EVERYBODY,
  changes: LEADS,
  who: "Leads and admins change canned replies.",
  key: (item) => item.id,
  name: (item) => item.title,
  line: (_, item) => [`/${item.shortcut}`, item.queue && `for ${item.queue}`, item.text].filter(Boolean).join(" · "),
  schema: () => ({
    type: "object",
    required: ["shortcut", "title", "text"],
    properties: {
      title: { type: "string", maxLength: 200 },
      shortcut: { type: "string", maxLength: 40, ui: { hint: "Letters, digits, - and _. Operators type it after a /." } },
      queue: { type: ["string", "null"], ui: { label: "For the queue", none: "Everybody" } },
      text: { type: "string", maxLength: 10_000, ui: { hint: VARIABLES } },
    },
  }),
  value: ({ title, shortcut, queue, text }) => ({ title, shortcut, queue, text }),
  save: ({ api }, item, value) => (item ? api.patch(`/api/canned/${encodeURIComponent(item.id)}`, value) : api.post("/api/canned", value)),
  remove: {
    words: "Delete",
    why: (item) => `/${item.shortcut} is offered no more. It cannot be deleted while a macro says it.`,
    run: ({ api }, item) => api.delete(`/api/canned/${encodeURIComponent(item.id)}`),
  },
};

/** @param {string} label @param {Record<string, any>} fixed @param {Record<string, any>} [properties] @param {string[]} [required] */
const action = (label, fixed, properties = {}, required = Object.keys(properties)) => ({
  type: "object",
  ui: { label },
  required: [...Object.keys(fixed), ...required],
  properties: { ...Object.fromEntries(Object.entries(fixed).map(([name, value]) => [name, { const: value }])), ...properties },
});
const TEXT = { text: { type: "string", maxLength: 10_000, ui: { hint: VARIABLES } } };
const CANNED = { canned: { type: "string", ui: { source: "canned", label: "Canned reply" } } };
const TAGS = { type: "array", items: { type: "string" } };
const ACTIONS = [
  action("Reply with a text", { do: "reply" }, TEXT),
  action("Reply with a canned reply", { do: "reply" }, CANNED),
  action("Write a note", { do: "note" }, TEXT),
  action("Note a canned reply", { do: "note" }, CANNED),
  action("Change tags", { do: "tag" }, { add: { ...TAGS, ui: { label: "Add" } }, remove: { ...TAGS, ui: { label: "Remove" } } }, []),
  action("Set the priority", { do: "priority" }, { to: { enum: ["low", "normal", "high", "urgent"], ui: { label: "Priority" } } }),
  action("Resolve", { do: "status", to: "resolved" }),
  action("Open again", { do: "status", to: "open" }),
  action("Snooze", { do: "status", to: "snoozed" }, { snoozed_until_in: { type: ["number", "null"], minimum: 1, ui: { label: "For", unit: "seconds", hint: "Empty: until the customer writes." } } }, []),
  action("Give it to", { do: "assign" }, { to: { type: "string", ui: { source: "holders", label: "Holder" } } }),
];

/** @type {import("./sections.js").Section} */
export const macros = {
  id: "macros",
  group: "Writing",
  title: "Macros",
  icon: "macro",
  one: "macro",
  about: "Several actions on a thread under one name: all of them are done, or none.",
  path: "/api/macros",
  paged: true,
  sees: EVERYBODY,
  changes: LEADS,
  who: "Leads and admins change macros.",
  key: (item) => item.id,
  name: (item) => item.name,
  line: (_, item) => item.actions.map((/** @type {any} */ one) => words(one)).join(" · "),
  schema: () => ({
    type: "object",
    required: ["name", "actions"],
    properties: {
      name: { type: "string", maxLength: 100 },
      actions: { type: "array", minItems: 1, maxItems: 20, items: { oneOf: ACTIONS }, ui: { part: "action" } },
    },
  }),
  value: ({ name, actions }) => ({ name, actions }),
  save: ({ api }, item, value) => {
    const body = { ...value, actions: value.actions.map(said) };
    return item ? api.patch(`/api/macros/${encodeURIComponent(item.id)}`, body) : api.post("/api/macros", body);
  },
  remove: {
    words: "Delete",
    why: (item) => `The macro ${item.name} is offered no more.`,
    run: ({ api }, item) => api.delete(`/api/macros/${encodeURIComponent(item.id)}`),
  },
};

/** What says nothing is left out. @param {any} one */
function said(one) {
  return Object.fromEntries(Object.entries(one ?? {}).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length)));
}

/** @param {any} one */
function words(one) {
  switch (one.do) {
    case "tag":
      return [...(one.add ?? []).map((/** @type {string} */ tag) => `+${tag}`), ...(one.remove ?? []).map((/** @type {string} */ tag) => `−${tag}`)].join(" ");
    case "priority":
    case "status":
      return one.to;
    case "assign":
      return `to ${one.to.replace(/^operator:.*/, "a person").replace(/^queue:/, "")}`;
    default:
      return one.do;
  }
}
