// Screens, settings: the sections, in their groups: who sees them, who changes them, and how each of their records is written.

import { apiKeys } from "./keys.js";
import { operators } from "./operators.js";
import { policies } from "./policies.js";
import { preferences } from "./preferences.js";
import { queues } from "./queues.js";
import { cannedReplies, macros } from "./replies.js";
import { webhooks } from "./webhooks.js";

/**
 * What a section is made of. `path` is where its records are; `schema` is of what is typed, for a new record (null) or one that is there;
 * `value` puts a record into it; `save` answers with the record that came of it.
 * @typedef {import("./state.js").Settings} Settings
 * @typedef {import("../core/types.js").Me} Me
 * @typedef {{id: string, group: string, title: string, icon: string, one: string, about: string, path: string, sees: string[], changes: string[],
 *   who: string, single?: boolean, paged?: boolean, key: (item: any) => string, name: (item: any) => string,
 *   line: (settings: Settings, item: any) => string, badge?: (settings: Settings, item: any) => any,
 *   schema: (settings: Settings, item: any | null) => any, value: (item: any) => any,
 *   save?: (settings: Settings, item: any | null, value: any) => Promise<any>, fixed?: (item: any | null) => boolean,
 *   remove?: {words: string, why: (item: any) => string, run: (settings: Settings, item: any) => Promise<any>, may?: (settings: Settings, item: any) => boolean},
 *   extra?: (settings: Settings, item: any) => any, opened?: (settings: Settings, item: any) => void,
 *   trial?: import("./rehearsal.js").Trial,
 *   place?: (field: string) => string}} Section
 */

export const GROUPS = ["Yours", "Team", "Judgement", "Clocks", "Word", "Writing", "Costs", "Access"];

/** @type {Section[]} */
export const SECTIONS = [
  preferences,
  operators,
  queues,
  ...policies.filter((one) => one.group === "Judgement"),
  ...policies.filter((one) => one.group === "Clocks"),
  ...policies.filter((one) => one.group === "Word"),
  webhooks,
  cannedReplies,
  macros,
  ...policies.filter((one) => one.group === "Costs"),
  apiKeys,
];

/** @param {string | null} id */
export const sectionOf = (id) => SECTIONS.find((one) => one.id === id) ?? null;
