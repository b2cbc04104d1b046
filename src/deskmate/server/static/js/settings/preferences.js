// Screens, settings: of what I am told outside the inbox, and how.

import { words } from "../core/schema.js";
import { EVERYBODY } from "./roles.js";

const PATH = "/api/me/notifications/preferences";

/** @type {import("./sections.js").Section} */
export const preferences = {
  id: "me",
  group: "Yours",
  title: "My notifications",
  icon: "bell",
  one: "preferences",
  about: "Of what you are told outside the inbox, and how.",
  path: PATH,
  single: true,
  sees: EVERYBODY,
  changes: EVERYBODY,
  who: "",
  key: () => "mine",
  name: () => "My notifications",
  line: () => "",
  schema: ({ state }, item) => state.parts.me.schema ?? ofValue(item ?? {}),
  value: (item) => item,
  save: ({ api }, _, value) => api.patch(PATH, value),
};

const CHANNELS = { type: "array", items: { enum: ["inbox", "email", "slack"] } };
/** @type {Record<string, string>} */
const KINDS = {
  "request.opened": "a request of the AI",
  "thread.waiting": "a thread that waits",
  mention: "a mention of me",
  "clock.*": "SLA clocks",
  "chain.*": "escalation chains",
  "response.*": "threads I have not answered",
  "*": "everything else",
};
const QUIET = {
  type: "object",
  required: ["zone", "from", "until"],
  properties: {
    from: { type: "string", default: "19:00", ui: { input: "time" } },
    until: { type: "string", default: "08:00", ui: { input: "time" } },
    zone: { type: "string", default: Intl.DateTimeFormat().resolvedOptions().timeZone, ui: { label: "Time zone" } },
    days: { type: ["array", "null"], items: { enum: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }, ui: { none: "Every day." } },
  },
};
/** @type {Record<string, any>} what this page knows of */
const KNOWN = {
  channels: {
    type: "object",
    additionalProperties: CHANNELS,
    ui: { label: "Tell me", names: Object.keys(KINDS), titles: KINDS, part: "kind", hint: "What is not here comes as the team's policies say. With no channel it comes to the inbox only." },
  },
  quiet: { ...QUIET, type: ["object", "null"], ui: { label: "Quiet hours", none: "At any hour.", hint: "Word by mail and Slack waits until they end." } },
  urgent_anyway: { type: "boolean", ui: { label: "What is urgent comes in quiet hours too" } },
};

/** A server may know more than this page: the rest of the form is made of what it says. @param {any} value @returns {any} */
function ofValue(value) {
  if (Array.isArray(value)) return { type: "array", items: { type: "string" } };
  if (value === null) return { type: ["string", "null"] };
  if (typeof value !== "object") return { type: typeof value };
  const part = (/** @type {string} */ name, /** @type {any} */ one) => {
    const schema = KNOWN[name] ?? ofValue(one);
    return { ...schema, ui: { label: words(name.replaceAll(".", " ")), ...schema.ui } };
  };
  return {
    type: "object",
    required: Object.keys(value),
    properties: Object.fromEntries(Object.entries(value).map(([name, one]) => [name, part(name, one)])),
  };
}
