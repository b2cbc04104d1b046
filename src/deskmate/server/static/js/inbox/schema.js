// Screens, inbox: a JSON Schema as fields that people fill in. What has no field of its own is written as JSON.

import { choicesOf, resolve, typeOf, words } from "../core/schema.js";

/** @typedef {"text" | "long" | "number" | "boolean" | "choice" | "choices" | "list" | "object" | "json"} Kind */
/** @typedef {{kind: Kind, path: string, name: string, label: string, hint: string, range: string, required: boolean, nullable: boolean,
 *   whole: boolean, min?: number, max?: number, input: string, length?: number, choices: {value: unknown, label: string}[],
 *   fields: Field[], preset: unknown}} Field */

const INPUTS = /** @type {Record<string, string>} */ ({ date: "date", time: "time", email: "email", uri: "url", url: "url" });
const LONG = 160;
const MANY = 30;

/**
 * @param {any} schema
 * @param {string} path where the server finds it, such as `value.seats`
 * @param {{name?: string, required?: boolean, root?: any, depth?: number}} [place]
 * @returns {Field}
 */
export function fieldOf(schema, path, { name = "", required = true, root = schema, depth = 0 } = {}) {
  const { schema: plain, nullable } = resolve(schema, root);
  /** @type {Field} */
  const field = {
    kind: "json",
    path,
    name,
    label: plain.title || (name ? words(name) : "Answer"),
    hint: plain.description ?? "",
    range: "",
    required,
    nullable,
    whole: false,
    input: "text",
    choices: [],
    fields: [],
    preset: plain.default,
  };
  const choices = choicesOf(plain, root);
  const type = typeOf(plain);
  if (choices) {
    Object.assign(field, { kind: choices.length > MANY * 10 ? "json" : "choice", choices, range: counted(choices.length) });
  } else if (type === "boolean") {
    // One box on its own cannot say "not answered yet": it has to be chosen.
    if (nullable || depth === 0) Object.assign(field, { kind: "choice", choices: YES_NO });
    else field.kind = "boolean";
  } else if (type === "string") string(field, plain, depth);
  else if (type === "integer" || type === "number") number(field, plain, type === "integer");
  else if (type === "array") list(field, plain, root);
  else if (type === "object" && plain.properties && depth < 2) {
    const needed = new Set(plain.required ?? []);
    field.kind = "object";
    field.fields = Object.entries(plain.properties).map(([key, part]) =>
      fieldOf(part, `${path}.${key}`, { name: key, required: needed.has(key), root, depth: depth + 1 }),
    );
  }
  if (field.kind === "json") field.range = "JSON";
  return field;
}

const YES_NO = [
  { value: true, label: "Yes" },
  { value: false, label: "No" },
];

/** @param {number} count */
const counted = (count) => `one of ${count}`;

/** @param {Field} field @param {any} schema @param {number} depth */
function string(field, schema, depth) {
  const { format = "", maxLength } = schema;
  const many = ["multiline", "textarea", "markdown"].includes(format) || schema.contentMediaType || maxLength > LONG;
  field.kind = many || (depth === 0 && !format && !maxLength) ? "long" : "text";
  field.input = INPUTS[format] ?? "text";
  field.length = maxLength;
  if (maxLength) field.range = `at most ${maxLength} characters`;
  else if (format && !many && field.input === "text") field.range = format;
}

/** @param {Field} field @param {any} schema @param {boolean} whole */
function number(field, schema, whole) {
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  Object.assign(field, { kind: "number", whole, min: schema.minimum, max: schema.maximum });
  const unit = whole ? "whole number" : "number";
  const over = schema.minimum === undefined ? "more than" : "at least";
  const under = schema.maximum === undefined ? "less than" : "at most";
  if (min !== undefined && max !== undefined) field.range = `${min} to ${max}`;
  else if (min !== undefined) field.range = `${over} ${min}`;
  else if (max !== undefined) field.range = `${under} ${max}`;
  else field.range = unit;
}

/** @param {Field} field @param {any} schema @param {any} root */
function list(field, schema, root) {
  const { schema: item } = resolve(schema.items ?? {}, root);
  const choices = choicesOf(item, root);
  const type = typeOf(item);
  if (choices && choices.length <= MANY) Object.assign(field, { kind: "choices", choices, range: "any of these" });
  else if (type === "string" || type === "number" || type === "integer") {
    Object.assign(field, { kind: "list", input: type === "string" ? "text" : "number", range: "one a line" });
  }
}

/**
 * The arguments of a call as fields: by their schema where it fits them, else by what they are.
 * @param {any} schema @param {Record<string, unknown>} args @returns {Field}
 */
export function fieldOfArgs(schema, args) {
  const whole = schema ? fieldOf(schema, "args") : null;
  const declared = whole?.kind === "object" ? whole.fields : [];
  const names = [...new Set([...declared.map((one) => one.name), ...Object.keys(args)])];
  const fields = names.map((name) => {
    const known = declared.find((one) => one.name === name);
    if (known && (args[name] === undefined || fits(known, args[name]))) return { ...known, preset: undefined };
    return { ...ofValue(name, args[name]), label: known?.label ?? name, hint: known?.hint ?? "" };
  });
  return { ...fieldOf({ type: "object", properties: {} }, "args"), fields };
}

/** @param {string} name @param {unknown} value @returns {Field} */
function ofValue(name, value) {
  const strings =
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string" && !one.includes("\n"));
  const long = typeof value === "string" && (value.length > 60 || value.includes("\n"));
  const schema = strings
    ? { type: "array", items: { type: "string" } }
    : value === null || typeof value === "object"
      ? {}
      : { type: typeof value, ...(long ? { format: "multiline" } : {}) };
  const field = fieldOf(schema, `args.${name}`, { name, depth: 1 });
  if (field.kind === "number") field.range = "number";
  return field;
}

/** Whether a field can hold this value without changing it. @param {Field} field @param {unknown} value @returns {boolean} */
function fits(field, value) {
  if (value === null) return field.nullable;
  switch (field.kind) {
    case "text":
      return typeof value === "string" && !value.includes("\n");
    case "long":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "choice":
      return field.choices.some((one) => one.value === value);
    case "choices":
      return Array.isArray(value) && value.every((one) => field.choices.some((choice) => choice.value === one));
    case "list":
      return Array.isArray(value) && value.every((one) => typeof one === (field.input === "number" ? "number" : "string"));
    case "object":
      return (
        typeof value === "object" &&
        !Array.isArray(value) &&
        Object.entries(value).every(([name, one]) => {
          const inner = field.fields.find((part) => part.name === name);
          return inner !== undefined && fits(inner, one);
        })
      );
    default:
      return true;
  }
}

/** The fields that are filled in, without those that only hold others. @param {Field} field @returns {Field[]} */
export function leaves(field) {
  return field.kind === "object" ? field.fields.flatMap(leaves) : [field];
}
