// Screens, settings: a JSON Schema as the shape of a form, to any depth: lists of objects, named parts, one of several variants.

import { choicesOf, resolve, typeOf, words } from "../core/schema.js";

/** @typedef {"text" | "long" | "number" | "seconds" | "money" | "boolean" | "choice" | "choices" | "words" | "object" | "list" | "map" |
 *   "variant" | "hours" | "days" | "json"} Kind */
/** @typedef {{kind: Kind, name: string, label: string, hint: string, required: boolean, nullable: boolean, optional: boolean, whole: boolean,
 *   min?: number, max?: number, length?: number, input: string, choices: {value: unknown, label: string, hint?: string}[], source: string,
 *   names: string[], fields: Shape[], fixed: Record<string, unknown>, item: Shape | null, options: Shape[], preset: unknown, flat: boolean,
 *   fewest: number, most: number, none: string, part: string}} Shape
 *   `optional`: a part that can be left out as a whole; `source`: what the desk knows that can be chosen; `part`: what one item is called */

const DEEPEST = 7;
const LONG = 300;
const MOST_CHOICES = 40;
const INPUTS = /** @type {Record<string, string>} */ ({ date: "date", email: "email", uri: "url", password: "password" });
/** What a name stands for, wherever it stands in a policy. */
const SOURCES = /** @type {Record<string, string>} */ ({
  queue: "queues",
  queues: "queues",
  operator: "operators",
  operators: "operators",
  skills: "skills",
  chain: "chain",
});
const MONEY = /(^per_hour$|_minor$|^minor$|^(input|output|cached?)_?per_million|_per_million$|^money)/;

/**
 * @param {any} schema
 * @param {{name?: string, required?: boolean, root?: any, depth?: number}} [place]
 * @returns {Shape}
 */
export function shapeOf(schema, { name = "", required = true, root = schema, depth = 0 } = {}) {
  const { schema: plain, nullable: maybe } = resolve(schema, root);
  const nullable = maybe || (plain.anyOf ?? plain.oneOf ?? []).some((/** @type {any} */ one) => one?.type === "null");
  const ui = plain.ui ?? {};
  /** @type {Shape} */
  const shape = {
    kind: "json",
    name,
    label: ui.label ?? (name ? words(name.replace(/_seconds$/, "").replace(/_minor$/, "")) : (plain.title ?? "")),
    hint: ui.hint ?? schema?.description ?? (depth > 0 && name ? (plain.description ?? "") : ""),
    required,
    nullable,
    optional: false,
    whole: false,
    length: plain.maxLength,
    input: ui.input ?? INPUTS[plain.format] ?? "text",
    choices: [],
    source: ui.source ?? SOURCES[name] ?? "",
    names: [],
    fields: [],
    fixed: {},
    item: null,
    options: [],
    preset: schema?.default ?? plain.default,
    flat: ui.flat === true,
    fewest: plain.minItems ?? 0,
    most: plain.maxItems ?? Number.POSITIVE_INFINITY,
    none: ui.none ?? "None",
    part: ui.part ?? "",
  };
  if (depth > DEEPEST) return shape;
  const within = { root, depth: depth + 1 };
  const choices = choicesOf(plain, root);
  const type = typeOf(plain);
  if (ui.kind) Object.assign(shape, { kind: ui.kind, optional: false });
  else if (choices) Object.assign(shape, { kind: "choice", choices: choices.map(named), source: "" });
  else if (plain.anyOf || plain.oneOf) variants(shape, plain, within);
  else if (type === "boolean") shape.kind = nullable ? "choice" : "boolean";
  else if (type === "string") shape.kind = shape.source ? "choice" : plain.format === "multiline" || plain.maxLength > LONG ? "long" : "text";
  else if (type === "integer" || type === "number") number(shape, plain, type === "integer");
  else if (type === "array") list(shape, plain, within);
  else if (type === "object") object(shape, plain, within);
  if (shape.kind === "choice" && type === "boolean" && !shape.choices.length) shape.choices = YES_NO;
  shape.optional = nullable && ["object", "variant", "map", "list"].includes(shape.kind);
  return shape;
}

const YES_NO = [
  { value: true, label: "Yes" },
  { value: false, label: "No" },
];

/** "first_response" reads "First response". @param {{value: unknown, label: string}} choice */
function named(choice) {
  return typeof choice.value === "string" && choice.label === choice.value && /^[a-z0-9_]+$/.test(choice.value)
    ? { ...choice, label: words(choice.value) }
    : choice;
}

/** @param {Shape} shape @param {any} schema @param {boolean} whole */
function number(shape, schema, whole) {
  const { ui = {} } = schema;
  Object.assign(shape, { kind: "number", whole, min: schema.minimum, max: schema.maximum });
  if (schema.exclusiveMinimum !== undefined) shape.min = whole ? schema.exclusiveMinimum + 1 : schema.exclusiveMinimum;
  if (ui.unit === "seconds" || /(^|_)(seconds|seconds_in|_s)$/.test(shape.name)) shape.kind = "seconds";
  else if (ui.unit === "money" || (whole && MONEY.test(shape.name))) shape.kind = "money";
}

/** @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function list(shape, schema, within) {
  const items = resolve(schema.items ?? schema.prefixItems?.[0] ?? {}, within.root).schema;
  const choices = choicesOf(items, within.root);
  if (choices && choices.length <= MOST_CHOICES) Object.assign(shape, { kind: "choices", choices: choices.map(named), source: "" });
  else if (["queues", "operators"].includes(shape.source)) shape.kind = "choices";
  else if (typeOf(items) === "string") Object.assign(shape, { kind: "words", input: INPUTS[items.format] ?? "text" });
  else {
    const item = shapeOf(schema.items ?? {}, { name: "", ...within });
    Object.assign(shape, { kind: "list", item, part: shape.part || singular(shape.label) });
  }
}

/** @param {string} label */
const singular = (label) => label.toLowerCase().replace(/ies$/, "y").replace(/s$/, "") || "item";

/** @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function object(shape, schema, within) {
  if (!schema.properties) {
    const { additionalProperties: rest, propertyNames } = schema;
    if (!rest || rest === true) return;
    const item = shapeOf(rest, { name: "", ...within });
    const names = propertyNames ? (choicesOf(resolve(propertyNames, within.root).schema, within.root) ?? []) : [];
    Object.assign(shape, { kind: "map", item, names: names.map((one) => String(one.value)), part: shape.part || singular(shape.label) });
    return;
  }
  const needed = new Set(schema.required ?? []);
  shape.kind = "object";
  for (const [name, part] of Object.entries(schema.properties)) {
    const known = /** @type {any} */ (part);
    if (known.const !== undefined) shape.fixed[name] = known.const;
    else shape.fields.push(shapeOf(known, { name, required: needed.has(name), ...within }));
  }
}

/** One of several: whole objects, or the same object with one of several members. @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function variants(shape, schema, within) {
  const { anyOf, oneOf, ...rest } = schema;
  const given = (anyOf ?? oneOf).map((/** @type {any} */ one) => resolve(one, within.root).schema);
  const options = given.filter((/** @type {any} */ one) => one.type !== "null");
  shape.kind = "variant";
  if (rest.properties) {
    const apart = new Set(options.flatMap((/** @type {any} */ one) => one.required ?? []));
    shape.options = options.map((/** @type {any} */ one) => {
      const mine = one.required ?? [];
      const properties = Object.fromEntries(Object.entries(rest.properties).filter(([name]) => !apart.has(name) || mine.includes(name)));
      const option = shapeOf({ ...rest, properties, required: [...(rest.required ?? []), ...mine] }, { name: "", ...within });
      return { ...option, label: words(mine.join(" and ") || "Neither"), hint: "", flat: true };
    });
    return;
  }
  shape.options = options.map((/** @type {any} */ one) => {
    const option = shapeOf(one, { name: "", ...within });
    const [constant] = Object.values(option.fixed);
    return { ...option, label: one.ui?.label ?? (constant === undefined ? option.label || words(option.kind) : words(String(constant))), flat: true };
  });
}

/** Which variant a value is. @param {Shape} shape @param {any} value */
export function variantOf(shape, value) {
  if (value === undefined || value === null) return 0;
  const fits = (/** @type {Shape} */ option) => {
    if (option.kind !== "object") return kindOfValue(value).includes(option.kind);
    if (typeof value !== "object") return false;
    const names = [...option.fields.map((one) => one.name), ...Object.keys(option.fixed)];
    const given = Object.keys(value).filter((name) => value[name] !== null);
    return (
      Object.entries(option.fixed).every(([name, fixed]) => value[name] === fixed) &&
      option.fields.every((one) => !one.required || (value[one.name] !== undefined && value[one.name] !== null)) &&
      given.every((name) => names.includes(name))
    );
  };
  return Math.max(0, shape.options.findIndex(fits));
}

/** @param {any} value @returns {string[]} */
function kindOfValue(value) {
  if (Array.isArray(value)) return ["list", "choices", "words"];
  if (typeof value === "string") return ["text", "long", "choice"];
  if (typeof value === "number") return ["number", "seconds", "money"];
  return typeof value === "boolean" ? ["boolean"] : ["map", "json"];
}
