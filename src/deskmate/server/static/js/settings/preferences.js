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
  schema: (_, item) => ofValue(item ?? {}),
  value: (item) => item,
  save: ({ api }, _, value) => api.patch(PATH, value),
};

/** A server may know more kinds and channels than this page: the form is made of what it says. @param {any} value @returns {any} */
function ofValue(value) {
  if (Array.isArray(value)) return { type: "array", items: { type: "string" } };
  if (value === null) return { type: ["string", "null"] };
  if (typeof value !== "object") return { type: typeof value };
  return {
    type: "object",
    required: Object.keys(value),
    properties: Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        const schema = ofValue(one);
        return [name, { ...schema, ui: { label: words(name.replaceAll(".", " ")), ...schema.ui } }];
      }),
    ),
  };
}
