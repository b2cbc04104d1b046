// Screens, settings: what stands in a form: begun from a value, read back as a value. Checks here only help; the server decides.

import { variantOf } from "./shape.js";
import { digitsOf, majorOf, minorOf, unitOf } from "./units.js";

/** @typedef {import("./shape.js").Shape} Shape */

export const DAYS = /** @type {const} */ (["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
let last = 0;
/** Items are told apart by a number of their own, so that what is typed stays with its item when another goes. */
const numbered = () => ++last;

/** @param {Shape} shape @param {any} value @param {string} [currency] of what stands around it @returns {any} */
export function begin(shape, value, currency = "") {
  if (!shape.optional) return beginIt(shape, value, currency);
  const given = value === undefined ? shape.preset : value;
  return { on: given !== undefined && given !== null, value: beginIt(shape, given ?? undefined, currency) };
}

/** @param {Shape} shape @param {any} value @param {string} currency @returns {any} */
function beginIt(shape, value, currency) {
  const given = value === undefined ? (shape.preset ?? undefined) : value;
  switch (shape.kind) {
    case "object": {
      const own = given?.currency ?? currency;
      return Object.fromEntries(shape.fields.map((field) => [field.name, begin(field, field.inline ? given : given?.[field.name], own)]));
    }
    case "list": {
      const items = given ?? Array.from({ length: shape.fewest }, () => undefined);
      return items.map((/** @type {any} */ one) => ({ key: numbered(), value: begin(/** @type {Shape} */ (shape.item), one, currency) }));
    }
    case "map":
      return Object.entries(given ?? {}).map(([name, one]) => ({
        key: numbered(),
        name,
        value: begin(/** @type {Shape} */ (shape.item), one, currency),
      }));
    case "variant": {
      const at = variantOf(shape, given);
      return { at, values: shape.options.map((option, i) => begin(option, i === at ? given : undefined, currency)) };
    }
    case "hours":
      return Object.fromEntries(
        DAYS.map((day) => [day, (given?.[day] ?? []).map(([from, to]) => ({ key: numbered(), from, to }))]),
      );
    case "seconds": {
      const length = shape.wrapped ? given?.[shape.wrapped] : given;
      const unit = unitOf(length ?? 0);
      return { amount: length === undefined || length === null ? "" : String(length / unit), unit };
    }
    case "money":
      return given === undefined || given === null ? "" : majorOf(given, currency);
    case "percent":
      return given === undefined || given === null ? "" : String(exact(given * 100));
    case "boolean":
      return given === true;
    case "choice":
      return given === undefined || given === null ? "" : JSON.stringify(given);
    case "choices":
    case "words":
    case "days":
      return shape.input === "number" ? (given ?? []).map(String) : [...(given ?? [])];
    case "json":
      return given === undefined || given === null ? "" : JSON.stringify(given, null, 2);
    default:
      return given === undefined || given === null ? "" : String(given);
  }
}

/** Without what a hundredth adds behind the point. @param {number} value */
const exact = (value) => Math.round(value * 1e6) / 1e6;

/** An item that is not there yet. @param {Shape} shape of the list or map @param {string} currency */
export function fresh(shape, currency) {
  return { key: numbered(), name: "", value: begin(/** @type {Shape} */ (shape.item), undefined, currency) };
}

/** @param {string} from @param {string} to */
export const span = (from, to) => ({ key: numbered(), from, to });

/**
 * @param {Shape} shape @param {any} draft @param {string} path
 * @param {Record<string, string>} problems gets a word for every field that cannot be sent, by its path
 * @param {string} [currency] of what stands around it
 * @returns {any} undefined when nothing is said
 */
export function read(shape, draft, path, problems, currency = "") {
  if (shape.optional) return draft.on ? readIt(shape, draft.value, path, problems, currency) : null;
  return readIt(shape, draft, path, problems, currency);
}

/** @param {Shape} shape @param {any} draft @param {string} path @param {Record<string, string>} problems @param {string} currency @returns {any} */
function readIt(shape, draft, path, problems, currency) {
  const problem = (/** @type {string} */ words, where = path) => void (problems[where] = words);
  const inside = (/** @type {any} */ part, /** @type {string} */ where) =>
    read(/** @type {Shape} */ (shape.item), part, where, problems, currency);
  switch (shape.kind) {
    case "object": {
      const own = draft.currency ?? currency;
      /** @type {Record<string, any>} */
      const value = { ...shape.fixed };
      for (const field of shape.fields) {
        const said = read(field, draft[field.name], join(path, field.name), problems, own);
        if (field.inline) Object.assign(value, said);
        else if (said !== undefined) value[field.name] = said;
      }
      return value;
    }
    case "list":
      return draft.map((/** @type {any} */ one, /** @type {number} */ i) => inside(one.value, `${path}.${i}`));
    case "map": {
      /** @type {Record<string, any>} */
      const value = {};
      draft.forEach((/** @type {any} */ one, /** @type {number} */ i) => {
        const name = one.name.trim();
        if (!name) problem("A name is needed.", `${path}.${i}.name`);
        else if (name in value) problem("This name is there twice.", `${path}.${i}.name`);
        value[name] = inside(one.value, `${path}.${i}`);
      });
      return value;
    }
    case "variant":
      return read(shape.options[draft.at], draft.values[draft.at], path, problems, currency);
    case "hours":
      return readHours(draft, path, problem);
    case "boolean":
    case "days":
      return draft;
    case "choices":
    case "words":
      if (!draft.length && shape.nullable) return null;
      return shape.input === "number" ? draft.map((/** @type {string} */ one) => readNumber(shape, one, 1, problem)) : draft;
    case "seconds": {
      if (draft.amount.trim() === "") return nothing(shape, problem);
      const length = readNumber(shape, draft.amount, draft.unit, problem);
      return shape.wrapped ? { [shape.wrapped]: length } : length;
    }
    default:
      return String(draft).trim() === "" ? nothing(shape, problem) : readText(shape, String(draft), currency, problem);
  }
}

/** @param {Shape} shape @param {(words: string) => void} problem */
function nothing(shape, problem) {
  if (shape.nullable) return null;
  if (!shape.required) return undefined;
  return problem(shape.kind === "choice" ? "Choose one." : "This is needed.");
}

/** @param {Shape} shape @param {string} text @param {string} currency @param {(words: string) => void} problem */
function readText(shape, text, currency, problem) {
  switch (shape.kind) {
    case "choice":
      return JSON.parse(text);
    case "number":
      return readNumber(shape, text, 1, problem);
    case "percent":
      return exact(readNumber(shape, text, 0.01, problem) ?? Number.NaN);
    case "money": {
      const minor = minorOf(text, currency);
      if (Number.isNaN(minor)) {
        return problem(`An amount is needed, such as ${majorOf(1250, currency)}${digitsOf(currency) ? "" : ": there is nothing smaller"}.`);
      }
      return bounded(shape, minor, 10 ** digitsOf(currency), problem);
    }
    case "json":
      try {
        return JSON.parse(text);
      } catch (error) {
        return problem(`This is not JSON yet: ${/** @type {Error} */ (error).message}`);
      }
    default:
      if (shape.length && [...text].length > shape.length) return problem(`At most ${shape.length} characters.`);
      return shape.kind === "long" ? text : text.trim();
  }
}

/** @param {Shape} shape @param {string} text @param {number} unit @param {(words: string) => void} problem */
function readNumber(shape, text, unit, problem) {
  const value = Number(text.trim().replace(",", ".")) * unit;
  if (!Number.isFinite(value)) return problem("A number is needed.");
  const tidy = shape.kind === "seconds" ? Math.round(value * 1000) / 1000 : value;
  if (shape.whole && !Number.isInteger(tidy)) return problem(unit === 1 ? "A whole number is needed." : "This is not a whole number of seconds.");
  return bounded(shape, tidy, unit, problem);
}

/** @param {Shape} shape @param {number} value @param {number} unit @param {(words: string) => void} problem */
function bounded(shape, value, unit, problem) {
  if (shape.min !== undefined && value < shape.min) return problem(`At least ${worded(shape, shape.min, unit)}.`);
  if (shape.max !== undefined && value > shape.max) return problem(`At most ${worded(shape, shape.max, unit)}.`);
  return value;
}

/** @param {Shape} shape @param {number} value @param {number} unit */
function worded(shape, value, unit) {
  if (shape.kind === "seconds") return unit === 1 ? `${value} seconds` : `${Math.round((value / unit) * 100) / 100} in this unit`;
  if (shape.kind === "percent") return `${exact(value * 100)} %`;
  return shape.kind === "money" ? String(value / unit) : String(value);
}

/** @param {any} draft @param {string} path @param {(words: string, where?: string) => void} problem */
function readHours(draft, path, problem) {
  /** @type {Record<string, [string, string][]>} */
  const hours = {};
  for (const day of DAYS) {
    for (const { from, to } of draft[day]) {
      if (![from, to].every((one) => /^([01]?\d|2[0-3]):[0-5]\d$|^24:00$/.test(one.trim()))) {
        problem("Write times of day like 09:00 and 17:30.", `${path}.${day}`);
      }
      (hours[day] ??= []).push([from.trim().padStart(5, "0"), to.trim().padStart(5, "0")]);
    }
  }
  return hours;
}

/** @param {string} path @param {string} name */
export const join = (path, name) => (path && name ? `${path}.${name}` : path || name);

/**
 * Every field that is drawn now: its path on the page, and its path as the server says it.
 * @param {Shape} shape @param {any} draft @param {string} path @param {string} theirs @returns {{path: string, theirs: string[]}[]}
 */
function drawn(shape, draft, path, theirs) {
  const here = { path, theirs: theirs.split(".").filter(Boolean) };
  const inner = shape.optional ? draft.value : draft;
  if (shape.optional && !draft.on) return [here];
  const items = (/** @type {any[]} */ list, /** @type {(one: any, i: number) => string} */ name) =>
    list.flatMap((one, i) => drawn(/** @type {Shape} */ (shape.item), one.value, `${path}.${i}`, join(theirs, name(one, i))));
  switch (shape.kind) {
    case "object":
      return [here, ...shape.fields.flatMap((one) => drawn(one, inner[one.name], join(path, one.name), join(theirs, one.name)))];
    case "list":
      return [here, ...items(inner, (_, i) => String(i))];
    case "map":
      return [here, ...items(inner, (one) => one.name)];
    case "variant":
      return [here, ...drawn(shape.options[inner.at], inner.values[inner.at], path, theirs)];
    case "hours":
      return [here, ...DAYS.map((day) => ({ path: `${path}.${day}`, theirs: [...here.theirs, day] }))];
    default:
      return [here];
  }
}

/**
 * The field that a word of the server is about: the deepest one on the way to it. The server may name variants in between.
 * @param {Shape} shape @param {any} draft @param {string} field @returns {string} "" where it is about all of it
 */
export function placed(shape, draft, field) {
  const steps = field.split(".");
  const onTheWay = (/** @type {string[]} */ theirs) => {
    let at = 0;
    for (const step of theirs) {
      at = steps.indexOf(step, at) + 1;
      if (!at) return false;
    }
    return true;
  };
  const found = drawn(shape, draft, "", "").filter((one) => one.theirs.length && onTheWay(one.theirs));
  return found.sort((a, b) => b.theirs.length - a.theirs.length)[0]?.path ?? "";
}
