// Screens, settings: everything the settings know, and where in them one is.

/** @typedef {import("../core/api.js").Problem} Problem */
/** @typedef {{items: any[], schema: any, loaded: boolean, absent: boolean, error: Problem | null}} Part */
/** @typedef {{shape: import("./shape.js").Shape, draft: any, was: string, problems: Record<string, string>, error: string, busy: boolean}} Editing
 *   what is being typed on one record; `was` is how it stood before */
/** @typedef {ReturnType<typeof import("./main.js").createSettings>} Settings what every view is given */

export function initialState() {
  return {
    /** @type {"loading" | "ready" | "entry" | "unreachable"} */
    phase: "loading",
    /** @type {import("../core/types.js").Me | null} */
    me: null,
    /** `id` is a record, "" for a new one, null for the list of them. @type {{section: string | null, id: string | null}} */
    route: { section: null, id: null },
    /** By section. @type {Record<string, Part>} */
    parts: {},
    /** By place: what is typed stays when one looks elsewhere. @type {Map<string, Editing>} */
    editing: new Map(),
    /** @type {{title: string, text: string, yes: string, run: () => void} | null} */
    confirm: null,
    /** A secret that is shown this once. @type {{title: string, text: string, secret: string, copied: boolean} | null} */
    once: null,
    /** What was just done, or refused, in words. */
    said: "",
    refused: "",
    /** What a policy that is not saved yet would have done. @type {import("./rehearsal.js").Tried} */
    trial: { place: "", of: "", busy: false, error: "", agent: "", agents: [], found: null },
    deliveries: { webhook: "", filter: "", items: /** @type {any[]} */ ([]), error: "" },
    now: Date.now(),
  };
}

/** @typedef {ReturnType<typeof initialState>} State */

/** @returns {Part} */
export const emptyPart = () => ({ items: [], schema: null, loaded: false, absent: false, error: null });

/** "#queues/returns", "#queues+" for a new one. @param {string} hash @returns {State["route"]} */
export function readRoute(hash) {
  const [, section, rest] = /^#([a-z]+)(.*)$/.exec(hash) ?? [];
  if (!section) return { section: null, id: null };
  if (rest === "+") return { section, id: "" };
  try {
    return { section, id: rest.startsWith("/") && rest.length > 1 ? decodeURIComponent(rest.slice(1)) : null };
  } catch {
    return { section, id: null };
  }
}

/** @param {string} section @param {string | null} [id] */
export function hashOf(section, id = null) {
  return `#${section}${id === null ? "" : id === "" ? "+" : `/${encodeURIComponent(id)}`}`;
}

/** @param {State["route"]} route */
export const placeOf = ({ section, id }) => `${section}/${id ?? ""}`;

/** @param {Editing} editing */
export const isDirty = (editing) => stable(editing.draft) !== editing.was;

/** What is typed, without the numbers by which items are told apart. @param {any} draft */
export function stable(draft) {
  return JSON.stringify(draft, (name, value) => (name === "key" && typeof value === "number" ? undefined : value));
}
