// Screens, settings: where a field stands in a form: its id, what describes it, and what happens when something is typed.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

/** @typedef {import("./shape.js").Shape} Shape */
/** @typedef {{id: string, problems: Record<string, string>, readonly: boolean, changed: () => void,
 *   choices: (source: string) => {value: string, label: string, hint?: string}[]}} Form what its fields are given */
/** @typedef {{form: Form, shape: Shape, holder: any, key: string | number, path: string, currency: string}} Place
 *   `holder[key]` is what stands in the field */

/** @param {Form} form @param {string} path */
export const idOf = (form, path) => `${form.id}:${path || "whole"}`;

/** Something was typed: the word on it is out of date. @param {Place} place @param {any} value */
export function set({ form, holder, key, path }, value) {
  holder[key] = value;
  touched(form, path);
}

/** @param {Form} form @param {string} path */
export function touched(form, path) {
  for (const known of Object.keys(form.problems)) {
    if (known === path || known.startsWith(`${path}.`) || path.startsWith(`${known}.`)) delete form.problems[known];
  }
  form.changed();
}

/** @param {Form} form @param {Shape} shape @param {string} path */
export function aboutOf(form, shape, path) {
  const id = idOf(form, path);
  return [shape.hint && `${id}-hint`, form.problems[path] && `${id}-problem`].filter(Boolean).join(" ") || undefined;
}

/** @param {Place} place */
export function hint({ form, shape, path }) {
  return shape.hint && h("p", { class: "field-hint", id: `${idOf(form, path)}-hint` }, shape.hint);
}

/** @param {Form} form @param {string} path */
export function problem(form, path) {
  const words = form.problems[path];
  return words && h("p", { class: "field-error", id: `${idOf(form, path)}-problem` }, icon("info", true), h("span", null, words));
}
