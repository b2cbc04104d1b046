// Screens, inbox: the fields of a card: an answer's form, and the arguments of a call as they are and as they would be.

import { diffView } from "../core/diff.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { isChanged, parsed, partOf, readable, shown, typedOf } from "./typed.js";
import { leaves } from "./schema.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./state.js").Card} Card */
/** @typedef {{desk: Desk, id: string, card: Card, root: Field, was: any, code?: boolean}} Form
 *   `was`: the value before, where one is changed; `code`: names stand as the program knows them */

const RADIOS = 4;
const WIDE = 34;

/** @param {Form} form */
export function fieldsView(form) {
  const { root } = form;
  return root.kind === "object" ? root.fields.map((field) => fieldView(form, field)) : fieldView(form, root);
}

/** @param {Form} form @param {string} path */
const idOf = (form, path) => `field-${form.id}-${path}`;

/** @param {Form} form @param {Field} field @returns {any} */
function fieldView(form, field) {
  if (field.kind === "object") {
    return h(
      "fieldset",
      { class: "fields fields--inner", key: field.path },
      h("legend", null, name(form, field)),
      field.hint && h("p", { class: "field-hint" }, field.hint),
      h(
        "div",
        { class: "fields-grid" },
        field.fields.map((part) => fieldView(form, part)),
      ),
    );
  }
  const id = idOf(form, field.path);
  const was = partOf(form.root, form.was, field);
  const problem = form.card.problems[field.path];
  const changed = form.was !== undefined && isChanged(field, form.card.form, was);
  const many = field.kind === "choices" || (field.kind === "choice" && radios(form, field));
  const about = [field.hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  const props = { id, "aria-describedby": about, "aria-invalid": problem ? "true" : undefined };
  const label = [name(form, field), needed(form, field)];
  const range = (field.range || null) && h("span", { class: "arg-type" }, field.range);
  const body =
    field.kind === "boolean"
      ? h(
          "label",
          { class: "check" },
          box(form, field, props),
          form.code ? (shown(field, form.card.form, was) ? "yes" : "no") : label,
        )
      : many
        ? options(form, field, was, about)
        : control(form, field, was, props);
  return h(
    many ? "fieldset" : "div",
    { class: `arg${wide(field, was) ? " arg--wide" : ""}${changed ? " arg--edited" : ""}`, key: field.path },
    many
      ? h("legend", null, label, range)
      : field.kind === "boolean" && !form.code
        ? null
        : h("label", { class: "arg-label", for: id }, label, range),
    field.hint && h("p", { class: "field-hint", id: `${id}-hint` }, field.hint),
    body,
    changed && change(field, was, typedNow(form, field, was)),
    problem && h("p", { class: "field-error", id: `${id}-problem`, role: "alert" }, icon("info", true), problem),
  );
}

/** @param {Form} form @param {Field} field */
function name(form, field) {
  if (form.code && field.label === field.name) return h("code", null, field.name);
  return form.code
    ? [h("span", { class: "arg-name" }, field.label), " ", h("code", { class: "quiet" }, field.name)]
    : h("span", { class: "arg-name" }, field.label);
}

/** @param {Form} form @param {Field} field */
function needed(form, field) {
  return (
    !form.code && field.required && form.root.kind === "object" && h("span", { class: "needed", "aria-hidden": "true" }, "*")
  );
}

/** @param {Form} form @param {Field} field */
function radios(form, field) {
  return !form.code && field.choices.length <= RADIOS && field.choices.every((one) => one.label.length <= WIDE);
}

/** @param {Field} field @param {unknown} was */
function wide(field, was) {
  return ["long", "json", "list", "choices"].includes(field.kind) || (was !== undefined && readable(field, was).length > WIDE);
}

/** @param {Form} form @param {Field} field @param {any} value */
function set(form, field, value) {
  form.card.form[field.path] = value;
  delete form.card.problems[field.path];
  form.card.error = "";
  form.desk.changed();
}

/** @param {Form} form @param {Field} field @param {Record<string, any>} props */
function box(form, field, props) {
  return h("input", {
    ...props,
    type: "checkbox",
    checked: shown(field, form.card.form, partOf(form.root, form.was, field)),
    "aria-label": form.code ? field.name : undefined,
    onchange: (/** @type {any} */ event) => set(form, field, event.target.checked),
  });
}

/** @param {Form} form @param {Field} field @param {unknown} was @param {string | undefined} about */
function options(form, field, was, about) {
  const value = shown(field, form.card.form, was);
  const one = field.kind === "choice";
  return h(
    "div",
    { class: "options", id: idOf(form, field.path), tabindex: "-1" },
    field.choices.map((choice, i) => {
      const at = String(i);
      const checked = one ? value === at : value.includes(at);
      return h(
        "label",
        { class: "check", key: at },
        h("input", {
          type: one ? "radio" : "checkbox",
          name: idOf(form, field.path),
          value: at,
          checked,
          "aria-describedby": about,
          onchange: (/** @type {any} */ event) =>
            set(form, field, one ? at : toggled(shown(field, form.card.form, was), at, event.target.checked)),
        }),
        choice.label,
      );
    }),
  );
}

/** @param {string[]} places @param {string} at @param {boolean} on */
function toggled(places, at, on) {
  const others = places.filter((one) => one !== at);
  return on ? [...others, at].sort((a, b) => +a - +b) : others;
}

/** @param {Form} form @param {Field} field @param {unknown} was @param {Record<string, any>} props */
function control(form, field, was, props) {
  const value = shown(field, form.card.form, was);
  const oninput = (/** @type {any} */ event) => set(form, field, event.target.value);
  const all = { class: "input", value, oninput, "aria-required": field.required && !form.code ? "true" : undefined, ...props };
  if (field.kind === "choice") {
    return h(
      "select",
      { ...all, oninput: undefined, onchange: oninput },
      (value === "" || !field.required) &&
        h("option", { value: "", selected: value === "" }, field.required ? "Choose…" : "None"),
      field.choices.map((choice, i) => h("option", { value: String(i), selected: value === String(i) }, choice.label)),
    );
  }
  if (["long", "list", "json"].includes(field.kind)) {
    const rows = Math.min(10, Math.max(field.kind === "long" ? 2 : 3, value.split("\n").length));
    return h("textarea", {
      ...all,
      rows,
      class: `input${field.kind === "json" ? " input--code" : ""}`,
      spellcheck: field.kind === "json" ? "false" : undefined,
    });
  }
  // A number is written as text: a browser's own number field hides what it cannot read, and wheels change it by accident.
  return h("input", {
    ...all,
    type: field.input,
    inputmode: field.kind === "number" ? (field.whole ? "numeric" : "decimal") : undefined,
  });
}

/** What stands in a field, as far as it can be read. @param {Form} form @param {Field} field @param {unknown} was */
function typedNow(form, field, was) {
  const value = shown(field, form.card.form, was);
  if (field.kind === "boolean") return value;
  if (field.kind === "choice") return value === "" ? undefined : field.choices[+value].value;
  if (field.kind === "choices") return value.map((/** @type {string} */ i) => field.choices[+i].value);
  if (field.kind === "json") return parsed(value) ?? value;
  return field.kind === "list" ? value.split("\n").filter(Boolean) : value;
}

/** Was and now, in sight before anything is approved. @param {Field} field @param {unknown} was @param {unknown} now */
export function change(field, was, now) {
  const before = field.kind === "json" ? typedOf(field, was) : readable(field, was);
  const after = field.kind === "json" && typeof now !== "string" ? typedOf(field, now) : readable(field, now);
  const long = before.length + after.length > 80 || /\n/.test(before + after);
  return h(
    "p",
    { class: `arg-was${long ? " arg-was--long" : ""}` },
    h("span", { class: "sr" }, "Changed: "),
    long
      ? diffView(before, after)
      : [
          h("del", null, before),
          h("span", { "aria-hidden": "true" }, " → "),
          h("span", { class: "sr" }, " to "),
          h("ins", null, after || "empty"),
        ],
  );
}

/** The values as they are. @param {Field} root @param {any} value @param {any} [before] shows what was changed since */
export function argsView(root, value, before) {
  return leaves(root).flatMap((field) => {
    const one = partOf(root, value, field);
    const old = before === undefined ? one : partOf(root, before, field);
    if (one === undefined && old === undefined) return [];
    const text = readable(field, one);
    const changed = JSON.stringify(old) !== JSON.stringify(one);
    return h(
      "div",
      { class: `arg${text.length > WIDE ? " arg--wide" : ""}`, key: field.path },
      h(
        "span",
        { class: "arg-label" },
        name(/** @type {any} */ ({ code: true }), { ...field, name: field.path.slice(root.path.length + 1) }),
        h("span", { class: "arg-type" }, typeWord(field, one)),
      ),
      h(
        "span",
        { class: `arg-value${field.kind === "json" ? " arg-value--code" : ""}` },
        changed ? change(field, old, one) : text,
      ),
    );
  });
}

/** @param {Field} field @param {unknown} value */
function typeWord(field, value) {
  if (field.kind === "boolean" || typeof value === "boolean") return "yes or no";
  if (field.kind === "number" || field.kind === "choice") return field.range;
  if (Array.isArray(value)) return "list";
  return value === null ? "nothing" : typeof value === "object" ? "object" : "text";
}
