// Screens, inbox: what an operator has typed into fields, as JSON with proper types. Checks here only help; the server decides.

import { valueText } from "../core/format.js";
import { leaves } from "./schema.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {Record<string, any>} Typed by path: a text, true or false, or a list of places in the choices */

const SHORT = 60;

/** How a value stands in its field. @param {Field} field @param {unknown} value @returns {any} */
export function typedOf(field, value) {
  switch (field.kind) {
    case "boolean":
      return value === true;
    case "choice": {
      const at = field.choices.findIndex((one) => one.value === value);
      return at < 0 ? "" : String(at);
    }
    case "choices":
      return field.choices.flatMap((one, i) => (Array.isArray(value) && value.includes(one.value) ? [String(i)] : []));
    case "list":
      return Array.isArray(value) ? value.map(String).join("\n") : "";
    case "json":
      return value === undefined ? "" : JSON.stringify(value, null, 2);
    default:
      return value === undefined || value === null ? "" : String(value);
  }
}

/** What stands in a field now. @param {Field} field @param {Typed} typed @param {unknown} was */
export function shown(field, typed, was) {
  return typed[field.path] ?? typedOf(field, was === undefined ? field.preset : was);
}

/** @param {Field} field @param {Typed} typed @param {unknown} was */
export function isChanged(field, typed, was) {
  const now = typed[field.path];
  if (now === undefined) return false;
  const value = field.kind === "json" && was !== undefined ? parsed(now) : undefined;
  return value === undefined
    ? JSON.stringify(now) !== JSON.stringify(typedOf(field, was))
    : JSON.stringify(value) !== JSON.stringify(was);
}

/** @param {string} text @returns {unknown} undefined while it is not JSON */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Field} root @param {any} value @param {Field} leaf @returns {unknown} the part of a value that a field is about */
export function partOf(root, value, leaf) {
  const steps = leaf.path.slice(root.path.length + 1);
  if (!steps) return value;
  for (const field of root.fields) {
    if (leaf.path === field.path || leaf.path.startsWith(`${field.path}.`)) return partOf(field, value?.[field.name], leaf);
  }
  return undefined;
}

/** @param {Field} root @param {Typed} typed @param {any} was */
export function changesOf(root, typed, was) {
  return leaves(root).filter((leaf) => isChanged(leaf, typed, partOf(root, was, leaf)));
}

/**
 * @param {Field} field @param {Typed} typed @param {any} was the value before, where there is one
 * @param {Record<string, string>} problems gets a word for every field that cannot be sent, by its path
 * @returns {any} undefined when nothing is said
 */
export function read(field, typed, was, problems) {
  if (field.kind === "object") return readObject(field, typed, was, problems);
  // What nobody touched stays exactly what it was.
  if (was !== undefined && !isChanged(field, typed, was)) return was;
  const value = shown(field, typed, was);
  const problem = (/** @type {string} */ words) => {
    problems[field.path] = words;
  };
  if (field.kind === "boolean") return value;
  if (field.kind === "choices")
    return value.length || field.required ? value.map((/** @type {string} */ i) => field.choices[+i].value) : undefined;
  const text = String(value);
  if (!text.trim()) {
    if (typeof was === "string") return text;
    if (field.kind === "list" && (was !== undefined || field.required)) return [];
    if (!field.required) return undefined;
    if (field.nullable) return null;
    return problem(field.kind === "choice" ? "Choose one." : "This is needed.");
  }
  switch (field.kind) {
    case "choice":
      return field.choices[+text].value;
    case "number":
      return readNumber(field, text, problem);
    case "list": {
      const lines = text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
      return field.input === "number" ? lines.map((line) => readNumber({ ...field, whole: false }, line, problem)) : lines;
    }
    case "json":
      try {
        return JSON.parse(text);
      } catch (error) {
        return problem(`This is not JSON yet: ${/** @type {Error} */ (error).message}`);
      }
    default:
      if (field.length && [...text].length > field.length) return problem(`At most ${field.length} characters.`);
      return text;
  }
}

/** @param {Field} field @param {Typed} typed @param {any} was @param {Record<string, string>} problems */
function readObject(field, typed, was, problems) {
  /** @type {Record<string, string>} */
  const own = {};
  /** @type {Record<string, any>} */
  const value = { ...was };
  for (const part of field.fields) {
    // What was left out of a value stays out of it until somebody fills it in.
    if (was !== undefined && was[part.name] === undefined && !leaves(part).some((leaf) => isChanged(leaf, typed, undefined)))
      continue;
    const said = read(part, typed, was?.[part.name], own);
    if (said === undefined) delete value[part.name];
    else value[part.name] = said;
  }
  const touched = leaves(field).some((leaf) => isChanged(leaf, typed, undefined));
  if (!field.required && was === undefined && !touched) return undefined;
  Object.assign(problems, own);
  return value;
}

/** @param {Field} field @param {string} text @param {(words: string) => undefined | void} problem */
function readNumber(field, text, problem) {
  const value = Number(text.trim());
  if (!Number.isFinite(value)) return problem("A number is needed, such as 4.5.");
  if (field.whole && !Number.isInteger(value)) return problem("A whole number is needed.");
  if (field.min !== undefined && value < field.min) return problem(`At least ${field.min}.`);
  if (field.max !== undefined && value > field.max) return problem(`At most ${field.max}.`);
  return value;
}

/** Put a value into the fields, as if it had been typed. @param {Field} field @param {any} value @param {Typed} typed */
export function fill(field, value, typed) {
  if (field.kind === "object") for (const part of field.fields) fill(part, value?.[part.name], typed);
  else if (value !== undefined) typed[field.path] = typedOf(field, value);
}

/** A value as people read it. @param {Field} field @param {unknown} value */
export function readable(field, value) {
  if (value === undefined) return "not given";
  if (value === null) return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  const choice = field.kind === "choice" && field.choices.find((one) => one.value === value);
  if (choice) return choice.label;
  const line = typeof value === "object" ? JSON.stringify(value) : "";
  if (field.kind === "json" && line && line.length <= SHORT) return line;
  return field.kind === "list" || field.kind === "choices" ? /** @type {any[]} */ (value).join(", ") : valueText(value);
}

/**
 * Which field a word of the server is about, and the word. It may be about something inside or above a field.
 * @param {Field} root @param {string} path @param {string} message @returns {{path: string, message: string}}
 */
export function placed(root, path, message) {
  const plain = message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message;
  const missing = /^'([^']+)' is a required property$/.exec(plain);
  const at = missing ? `${path}.${missing[1]}` : path;
  const field = leaves(root)
    .filter((leaf) => at === leaf.path || at.startsWith(`${leaf.path}.`))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return { path: field?.path ?? root.path, message: missing && field ? "This is needed." : plain };
}
