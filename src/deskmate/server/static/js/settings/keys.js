// Screens, settings: the keys of programs. What a key opens with is shown once, when it is made.

import { h } from "../core/dom.js";
import { full } from "../core/format.js";
import { ADMINS } from "./roles.js";

const SCOPES = [
  { const: "messages:customer", title: "Speak for customers: a chat of one's own" },
  { const: "customers:identify", title: "Say who a customer is" },
  { const: "requests:ask", title: "Ask people" },
  { const: "requests:decide", title: "Decide requests" },
  { const: "threads:read", title: "Read threads" },
  { const: "threads:read_hidden", title: "Read threads, notes and drafts too" },
  { const: "usage:read", title: "Read usage" },
  { const: "feedback:read", title: "Read feedback" },
];

/** @type {import("./sections.js").Section} */
export const apiKeys = {
  id: "keys",
  group: "Access",
  title: "API keys",
  icon: "key",
  one: "key",
  about: "What programs open the desk with. Give each program a key of its own, that may do as little as it needs.",
  path: "/api/keys",
  paged: true,
  sees: ADMINS,
  changes: ADMINS,
  who: "",
  key: (item) => item.id,
  name: (item) => item.name || item.id,
  line: ({ choices }, item) =>
    [
      item.operator && `as ${choices("operators").find((one) => one.value === item.operator)?.label ?? item.operator}`,
      item.role && `role ${item.role}`,
      item.scopes.join(", "),
      item.expires_at && `until ${full(item.expires_at)}`,
    ]
      .filter(Boolean)
      .join(" · "),
  schema: () => ({
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", maxLength: 100, ui: { hint: "What it is for, so that you know it again." } },
      operator: { type: ["string", "null"], ui: { label: "Acts as", none: "A program of its own" } },
      role: {
        anyOf: [{ enum: ["observer", "operator", "lead", "admin"] }, { type: "null" }],
        default: null,
        ui: { none: "None: only what is chosen below", hint: "A program's own key needs a role, or something chosen below." },
      },
      scopes: { type: "array", items: { oneOf: SCOPES }, ui: { label: "May also" } },
      expires_at: { type: ["string", "null"], ui: { label: "Ends on", hint: "Empty means that it is revoked by hand.", input: "date" } },
    },
  }),
  value: () => ({}),
  fixed: (item) => item !== null,
  save: async (settings, _, value) => {
    const expires_at = value.expires_at ? `${value.expires_at}T00:00:00Z` : null;
    const made = await settings.api.post("/api/keys", { ...value, expires_at });
    settings.showOnce("The key", `Programs send it as “Authorization: Bearer …”.`, made.key);
    return made;
  },
  remove: {
    words: "Revoke",
    why: (item) => `Programs that use ${item.name || item.id} are let in no more, at once. This cannot be undone.`,
    run: ({ api }, item) => api.delete(`/api/keys/${encodeURIComponent(item.id)}`),
  },
  extra: (settings, item) =>
    h(
      "dl",
      { class: "set-facts" },
      [
        ["Acts as", item.operator ? settings.choices("operators").find((one) => one.value === item.operator)?.label : "a program of its own"],
        ["Role", item.role ?? "none"],
        ["May also", item.scopes.join(", ") || "nothing more"],
        ["Made", full(item.created_at)],
        ["Ends", item.expires_at ? full(item.expires_at) : "when it is revoked"],
      ].map(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
    ),
};
