// Screens, settings: a JSON Schema as the shape of a form, to any depth: lists of objects, named parts, one of several variants.

import { choicesOf, resolve, typeOf, words } from "../core/schema.js";

/** @typedef {"text" | "long" | "number" | "seconds" | "money" | "percent" | "boolean" | "choice" | "choices" | "words" | "object" | "list" | "map" |
 *   "variant" | "hours" | "days" | "json"} Kind */
/** @typedef {{kind: Kind, name: string, label: string, hint: string, required: boolean, nullable: boolean, optional: boolean, whole: boolean,
 *   min?: number, max?: number, length?: number, input: string, choices: {value: unknown, label: string, hint?: string}[], source: string,
 *   names: string[], fields: Shape[], fixed: Record<string, unknown>, item: Shape | null, options: Shape[], preset: unknown, flat: boolean,
 *   fewest: number, most: number, none: string, part: string, inline: boolean, wrapped: string, bare: boolean, titles: Record<string, string>}} Shape
 *   `optional`: a part that can be left out as a whole; `source`: what the desk knows that can be chosen; `part`: what one item is called;
 *   `inline`: its members are members of what stands around it; `wrapped`: the one member that its value is written in;
 *   `bare`: its label is read, and not seen, for what stands beside it says the same; `titles`: words for names */

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
  zone: "zones",
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
    label: ui.label ?? (name ? words(name.replace(/^seconds$/, "time").replace(/_(seconds|minor)$/, "")) : (plain.title ?? "")),
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
    inline: false,
    wrapped: "",
    bare: false,
    titles: ui.titles ?? {},
  };
  if (depth > DEEPEST) return shape;
  const within = { root, depth: depth + 1 };
  const choices = choicesOf(plain, root);
  const type = typeOf(plain);
  const groups = groupsOf(plain);
  if (ui.kind) Object.assign(shape, { kind: ui.kind, optional: false });
  else if (choices) Object.assign(shape, { kind: "choice", choices: choices.map((one) => named(one, ui.titles)), source: "" });
  else if (groups) object(shape, plain, within, groups);
  else if (plain.anyOf || plain.oneOf) variants(shape, plain, within);
  else if (type === "boolean") shape.kind = nullable ? "choice" : "boolean";
  else if (type === "string") shape.kind = shape.source ? "choice" : plain.format === "multiline" || (!plain.format && plain.maxLength > LONG) ? "long" : "text";
  else if (type === "integer" || type === "number") number(shape, plain, type === "integer");
  else if (type === "array") list(shape, plain, within);
  else if (type === "object") object(shape, plain, within);
  if (shape.kind === "choice" && type === "boolean" && !shape.choices.length) shape.choices = YES_NO.map((one) => named(one, ui.titles));
  if (shape.kind === "object") unwrap(shape);
  shape.optional = nullable && ["object", "variant", "map", "list"].includes(shape.kind);
  return shape;
}

/** Members of which a record has one, or one set: said by its schema, or known of it. @param {any} schema @returns {string[][] | null} */
function groupsOf({ properties, anyOf, oneOf, ui }) {
  if (ui?.apart) return ui.apart.map((/** @type {string} */ name) => [name]);
  const options = anyOf ?? oneOf;
  if (!properties || !options?.length) return null;
  const required = options.map((/** @type {any} */ one) => one.required);
  return required.every(Array.isArray) && options.every((/** @type {any} */ one) => !one.properties) ? required : null;
}

/** A length that stands in an object of its own is written as a length. @param {Shape} shape */
function unwrap(shape) {
  const [only, ...more] = shape.fields;
  if (!only || more.length || only.kind !== "seconds" || Object.keys(shape.fixed).length) return;
  const { kind, whole, min, max } = only;
  Object.assign(shape, { kind, whole, min, max, wrapped: only.name, fields: [], hint: shape.hint || only.hint });
}

const YES_NO = [
  { value: true, label: "Yes" },
  { value: false, label: "No" },
];

/** "first_response" reads "First response", where there are no other words for it. @param {{value: unknown, label: string}} choice @param {Record<string, string>} [titles] */
function named(choice, titles = {}) {
  const title = titles[String(choice.value)];
  if (title) return { ...choice, label: title };
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
  else if (ui.unit === "percent") shape.kind = "percent";
  else if (ui.unit === "money" || (whole && MONEY.test(shape.name))) shape.kind = "money";
}

/** @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function list(shape, schema, within) {
  const items = resolve(schema.items ?? schema.prefixItems?.[0] ?? {}, within.root).schema;
  const choices = choicesOf(items, within.root);
  if (choices && choices.length <= MOST_CHOICES) Object.assign(shape, { kind: "choices", choices: choices.map((one) => named(one)), source: "" });
  else if (["queues", "operators"].includes(shape.source)) shape.kind = "choices";
  else if (["integer", "number"].includes(typeOf(items))) {
    Object.assign(shape, { kind: "words", whole: typeOf(items) === "integer", min: items.minimum, max: items.maximum, input: "number" });
  } else if (typeOf(items) === "string") Object.assign(shape, { kind: "words", input: INPUTS[items.format] ?? "text" });
  else {
    const item = shapeOf(schema.items ?? {}, { name: "", ...within });
    Object.assign(shape, { kind: "list", item, part: shape.part || singular(shape.label) });
  }
}

/** @param {string} label */
const singular = (label) => label.toLowerCase().replace(/ies$/, "y").replace(/s$/, "") || "item";

/** @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within @param {string[][] | null} [groups] */
function object(shape, schema, within, groups = null) {
  if (!schema.properties) return map(shape, schema, within);
  const needed = new Set(schema.required ?? []);
  const apart = new Set(groups?.flat());
  const part = (/** @type {string} */ name, required = needed.has(name)) => shapeOf(schema.properties[name], { name, required, ...within });
  shape.kind = "object";
  for (const [name, one] of Object.entries(schema.properties)) {
    const { const: fixed } = /** @type {any} */ (one);
    if (fixed !== undefined) shape.fixed[name] = fixed;
    else if (!apart.has(name)) shape.fields.push(part(name));
  }
  if (!groups) return;
  const blank = shapeOf({}, { name: "" });
  const options = groups.map((names) => {
    const fields = names.map((name) => ({ ...part(name, true), nullable: false, optional: false }));
    return { ...blank, kind: /** @type {Kind} */ ("object"), label: fields.map((one) => one.label).join(" and ") || "Neither", fields, flat: true };
  });
  shape.fields.push({ ...blank, kind: "variant", name: "", label: schema.ui?.choose ?? "What", options, inline: true });
}

/** @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function map(shape, schema, within) {
  const { additionalProperties: rest, propertyNames, ui = {} } = schema;
  if (!rest || rest === true) return;
  const item = shapeOf(rest, { name: "", ...within });
  const names = propertyNames ? (choicesOf(resolve(propertyNames, within.root).schema, within.root) ?? []) : [];
  const known = ui.names ?? names.map((one) => String(one.value));
  Object.assign(shape, { kind: "map", item, names: known, part: shape.part || singular(shape.label) });
}

/** One of several kinds of value. @param {Shape} shape @param {any} schema @param {{root: any, depth: number}} within */
function variants(shape, schema, within) {
  const given = (schema.anyOf ?? schema.oneOf).filter((/** @type {any} */ one) => one?.type !== "null");
  shape.kind = "variant";
  shape.options = given.map((/** @type {any} */ one, /** @type {number} */ i) => {
    const ui = { ...one.ui, ...schema.ui?.options?.[i] };
    const option = shapeOf({ ...one, ...(ui.enum && { enum: ui.enum }), ui }, { name: "", ...within });
    const [constant] = Object.values(option.fixed);
    return { ...option, label: ui.label ?? (constant === undefined ? option.label || words(option.kind) : words(String(constant))), flat: option.kind === "object" };
  });
}

/** Which variant a value is. @param {Shape} shape @param {any} value */
export function variantOf(shape, value) {
  if (value === undefined || value === null) return 0;
  const fits = (/** @type {Shape} */ option) => {
    if (option.kind !== "object") return kindOfValue(value).includes(option.kind);
    if (typeof value !== "object") return false;
    if (shape.inline) return option.fields.every((one) => value[one.name] !== undefined && value[one.name] !== null);
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
