// Screens, settings: webhooks: where what happens is told to other programs, and what became of each delivery.

import { h } from "../core/dom.js";
import { ago, full, iso } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { ADMINS } from "./roles.js";

const path = (/** @type {any} */ item) => `/api/webhooks/${encodeURIComponent(item.id)}`;
const STATES = [
  { const: "enabled", title: "Enabled" },
  { const: "disabled", title: "Disabled: what happens is kept for a while" },
];
const FILTERS = [
  ["", "All"],
  ["queued", "Waiting"],
  ["delivered", "Delivered"],
  ["dead", "Given up"],
  ["withheld", "Withheld"],
];
/** @type {Record<string, {look: string, icon: string}>} */
const LOOKS = {
  delivered: { look: "met", icon: "check" },
  dead: { look: "missed", icon: "escalation" },
  withheld: { look: "", icon: "lock" },
  queued: { look: "", icon: "clock" },
};

/** @type {import("./sections.js").Section} */
export const webhooks = {
  id: "webhooks",
  group: "Word",
  title: "Webhooks",
  icon: "hook",
  one: "webhook",
  about: "Where what happens is told to other programs, signed and again until they have it.",
  path: "/api/webhooks",
  paged: true,
  sees: ADMINS,
  changes: ADMINS,
  who: "",
  key: (item) => item.id,
  name: (item) => item.description || host(item.url),
  line: (_, item) => [item.state === "disabled" && `disabled${item.reason ? `: ${item.reason}` : ""}`, item.url, item.events?.length ? item.events.join(", ") : "every event"].filter(Boolean).join(" · "),
  schema: (_, item) => ({
    type: "object",
    required: ["url"],
    properties: {
      url: { type: "string", format: "uri", maxLength: 2000, ui: { label: "Address" } },
      description: { type: "string", maxLength: 200, default: "", ui: { hint: "What listens there." } },
      events: {
        type: "array",
        items: { type: "string" },
        ui: { hint: "Such as thread.opened or request.*. None means every event.", none: "Every event" },
      },
      hidden: { type: "boolean", default: false, ui: { label: "Tell notes and drafts too", hint: "What customers never see." } },
      allow_private: { type: "boolean", default: false, ui: { label: "Allow an address inside this network" } },
      queues: { type: "array", items: { type: "string" }, ui: { label: "Only of the queues", none: "Of all of them." } },
      ...(item ? { state: { oneOf: STATES } } : {}),
    },
  }),
  value: (item) => item,
  save: async (settings, item, value) => {
    const found = item ? await settings.api.patch(path(item), value) : await settings.api.post("/api/webhooks", value);
    if (found.secret) settings.showOnce("The secret of the webhook", "The program that listens checks signatures with it.", found.secret);
    return found;
  },
  remove: {
    words: "Delete",
    why: (item) => `Nothing is told to ${host(item.url)} any more, and what waits to be told is dropped.`,
    run: ({ api }, item) => api.delete(path(item)),
  },
  opened: (settings, item) => void load(settings, item),
  extra: (settings, item) => [ways(settings, item), deliveries(settings, item)],
};

/** @param {string} url */
function host(url) {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** @param {import("./state.js").Settings} settings @param {any} item */
async function load(settings, item) {
  const known = settings.state.deliveries;
  try {
    const page = await settings.api.get(`${path(item)}/deliveries`, { state: known.filter, limit: 50 });
    settings.state.deliveries = { ...settings.state.deliveries, webhook: item.id, items: page.items, error: "" };
  } catch (error) {
    settings.state.deliveries = { ...settings.state.deliveries, webhook: item.id, items: [], error: /** @type {any} */ (error).message };
  }
  settings.changed();
}

/** @param {import("./state.js").Settings} settings @param {any} item */
function ways(settings, item) {
  const act = (/** @type {string} */ verb, /** @type {string} */ said) =>
    settings.act(async () => {
      const found = await settings.api.post(`${path(item)}/${verb}`);
      if (found?.secret) settings.showOnce("The new secret", "The old one goes on for a while, so that nothing is lost on the way.", found.secret);
      await load(settings, item);
      return said;
    });
  return h(
    "div",
    { class: "set-ways" },
    button("Send a test", () => act("test", "The test is on its way."), { icon: "send" }),
    button(
      "New secret…",
      () =>
        settings.confirm("Make a new secret?", "The program that listens has to be told the new one.", "Make a new secret", () =>
          act("rotate", "There is a new secret."),
        ),
      { icon: "key" },
    ),
    button("Send failed ones again", () => act("replay", "What failed is sent again."), { icon: "retry" }),
  );
}

/** @param {import("./state.js").Settings} settings @param {any} item */
function deliveries(settings, item) {
  const { deliveries, now } = settings.state;
  const mine = deliveries.webhook === item.id;
  return h(
    "section",
    { class: "set-deliveries", "aria-labelledby": "deliveries-title" },
    h(
      "div",
      { class: "set-deliveries-top" },
      h("h3", { id: "deliveries-title" }, "Deliveries"),
      h(
        "select",
        {
          class: "input",
          "aria-label": "Deliveries: which",
          value: deliveries.filter,
          onchange: (/** @type {any} */ event) => {
            deliveries.filter = event.target.value;
            void load(settings, item);
          },
        },
        FILTERS.map(([value, words]) => h("option", { value, selected: value === deliveries.filter }, words)),
      ),
    ),
    mine && deliveries.error && h("p", { class: "field-error", role: "alert" }, deliveries.error),
    mine && !deliveries.error && !deliveries.items.length && h("p", { class: "quiet" }, "None of these."),
    mine &&
      deliveries.items.length > 0 &&
      h(
        "ul",
        { class: "set-delivery-list" },
        deliveries.items.map((/** @type {any} */ one) => {
          const { look, icon: shape } = LOOKS[one.state] ?? LOOKS.queued;
          const at = one.finished_at ?? one.created_at;
          const tries = one.attempts ?? [];
          const last = tries.at(-1);
          return h(
            "li",
            { key: one.id },
            h("span", { class: `clock${look ? ` clock--${look}` : ""}` }, icon(shape), one.state),
            h("code", null, one.type),
            h(
              "span",
              { class: "quiet grow" },
              [tries.length > 1 && `${tries.length} tries`, last?.status && `answered ${last.status}`, last?.error].filter(Boolean).join(", "),
            ),
            h("time", { class: "quiet", datetime: iso(at), title: full(at) }, ago(at, now)),
          );
        }),
      ),
  );
}
