// Screens, settings: draws a form from its shape. Every field has a label, its hint and its problem beside it.

import { h } from "../core/dom.js";
import { button, iconButton } from "../core/parts.js";
import { money, seconds } from "./amounts.js";
import { hoursField } from "./calendar.js";
import { choicesField, choiceField, wordsField } from "./choosing.js";
import { fresh, join } from "./draft.js";
import { aboutOf, hint, idOf, problem, set, touched } from "./place.js";

/** @typedef {import("./shape.js").Shape} Shape */
/** @typedef {import("./place.js").Form} Form */
/** @typedef {import("./place.js").Place} Place */

/** @param {Place} place @returns {any} */
export function field(place) {
  const { shape } = place;
  if (shape.optional) return optional(place);
  return fieldIt(place);
}

/** @param {Place} place @returns {any} */
function fieldIt(place) {
  const { shape } = place;
  switch (shape.kind) {
    case "object":
      return object(place);
    case "list":
    case "map":
      return many(place);
    case "variant":
      return variant(place);
    case "hours":
      return group(place, hoursField(place));
    case "choices":
    case "days":
      return group(place, choicesField(place));
    case "boolean":
      return boolean(place);
    default:
      return line(place);
  }
}

/** @param {Shape} shape */
const needed = (shape) =>
  shape.required && !shape.nullable && !["words", "choices", "days", "boolean"].includes(shape.kind) && h("span", { class: "needed", "aria-hidden": "true" }, "*");

/** One label, one control. @param {Place} place */
function line(place) {
  const { form, shape, path } = place;
  const id = idOf(form, path);
  return h(
    "div",
    { class: `set-field${["long", "json", "words"].includes(shape.kind) ? " set-field--wide" : ""}`, key: path },
    h("label", { class: shape.bare ? "sr" : "set-label", for: id }, shape.label, !shape.bare && needed(shape)),
    hint(place),
    control(place),
    problem(form, path),
  );
}

/** @param {Place} place */
function control(place) {
  const { form, shape, holder, key, path } = place;
  const id = idOf(form, path);
  const value = holder[key];
  const props = {
    id,
    class: "input",
    disabled: form.readonly,
    "aria-describedby": aboutOf(form, shape, path),
    "aria-invalid": form.problems[path] ? "true" : undefined,
    "aria-required": shape.required && !shape.nullable ? "true" : undefined,
  };
  const oninput = (/** @type {any} */ event) => set(place, event.target.value);
  switch (shape.kind) {
    case "choice":
      return choiceField(place, props);
    case "words":
      return wordsField(place, props);
    case "seconds":
      return seconds(place, props);
    case "money":
      return money(place, props);
    case "percent":
      return h("div", { class: "set-with" }, h("input", { ...props, class: "input set-amount", value, oninput, inputmode: "decimal", autocomplete: "off" }), h("span", { class: "set-unit" }, "%"));
    case "long":
    case "json":
      return h("textarea", {
        ...props,
        class: `input${shape.kind === "json" ? " input--code" : ""}`,
        value,
        oninput,
        rows: Math.min(14, Math.max(4, value.split("\n").length + 1)),
        spellcheck: shape.kind === "json" ? "false" : undefined,
      });
    default:
      return h("input", {
        ...props,
        value,
        oninput,
        type: shape.kind === "number" ? "text" : shape.input,
        inputmode: shape.kind === "number" ? (shape.whole ? "numeric" : "decimal") : undefined,
        autocomplete: shape.input === "password" ? "new-password" : "off",
      });
  }
}

/** @param {Place} place */
function boolean(place) {
  const { form, shape, holder, key, path } = place;
  return h(
    "div",
    { class: "set-field", key: path },
    h(
      "label",
      { class: "check set-check" },
      h("input", {
        type: "checkbox",
        id: idOf(form, path),
        checked: holder[key],
        disabled: form.readonly,
        "aria-describedby": aboutOf(form, shape, path),
        "aria-invalid": form.problems[path] ? "true" : undefined,
        onchange: (/** @type {any} */ event) => set(place, event.target.checked),
      }),
      shape.label,
    ),
    hint(place),
    problem(form, path),
  );
}

/** Several controls under one name. @param {Place} place @param {...any} body */
export function group(place, ...body) {
  const { form, shape, path } = place;
  if (shape.flat || !shape.label) {
    // Where something is wrong with all of it, that is said of all of it.
    const wrong = form.problems[path] ? { role: "group", "aria-label": shape.label || "This record", "data-invalid": "true" } : {};
    return h(
      "div",
      { class: "set-flat", key: path || "whole", id: idOf(form, path), tabindex: "-1", "aria-describedby": aboutOf(form, shape, path), ...wrong },
      hint(place),
      problem(form, path),
      body,
    );
  }
  return h(
    "fieldset",
    {
      class: shape.bare ? "set-bare" : `set-group set-group--${shape.kind}`,
      key: path,
      id: idOf(form, path),
      tabindex: "-1",
      "aria-describedby": aboutOf(form, shape, path),
      "data-invalid": form.problems[path] ? "true" : undefined,
    },
    h("legend", { class: shape.bare ? "sr" : "set-label" }, shape.label),
    hint(place),
    problem(form, path),
    body,
  );
}

/** @param {Place} place */
function object(place) {
  return group(place, h("div", { class: "set-grid" }, parts(place)));
}

/** @param {Place} place */
function parts({ form, shape, holder, key, path, currency }) {
  const draft = holder[key];
  return shape.fields.map((part) =>
    field({ form, shape: part, holder: draft, key: part.name, path: join(path, part.name), currency: draft.currency ?? currency }),
  );
}

/** A part that can be left out as a whole. @param {Place} place */
function optional(place) {
  const { form, shape, holder, key, path } = place;
  const draft = holder[key];
  const inner = { ...shape, optional: false, flat: true, hint: "" };
  return h(
    "fieldset",
    { class: "set-group set-optional", key: path, id: `${idOf(form, path)}-part`, "aria-describedby": aboutOf(form, shape, path) },
    h(
      "legend",
      { class: "set-label" },
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          id: `${idOf(form, path)}-on`,
          checked: draft.on,
          disabled: form.readonly,
          onchange: (/** @type {any} */ event) => {
            draft.on = event.target.checked;
            touched(form, path);
          },
        }),
        shape.label,
      ),
    ),
    hint(place),
    draft.on
      ? fieldIt({ ...place, shape: inner, holder: draft, key: "value" })
      : [h("p", { class: "set-none quiet" }, shape.none), problem(form, path)],
  );
}

/** One of several: which, and what it needs, beside each other. @param {Place} place */
function variant(place) {
  const { form, shape, holder, key, path } = place;
  const draft = holder[key];
  const id = idOf(form, path);
  const option = shape.options[draft.at];
  const inner = { ...place, shape: option, holder: draft.values, key: draft.at };
  const one = option.kind === "object" && option.fields.length === 1 && option.fields[0].label === option.label;
  return h(
    "div",
    { class: "set-variant", key: path },
    h(
      "div",
      { class: "set-field" },
      h("label", { class: shape.bare ? "sr" : "set-label", for: `${id}-variant` }, shape.label || "What"),
      !shape.flat && hint(place),
      h(
        "select",
        {
          class: "input",
          id: `${id}-variant`,
          value: String(draft.at),
          disabled: form.readonly,
          onchange: (/** @type {any} */ event) => {
            draft.at = Number(event.target.value);
            touched(form, path);
          },
        },
        shape.options.map((one, i) => h("option", { value: String(i), selected: i === draft.at }, one.label)),
      ),
      // What is wrong with a record that it is a part of is said there.
      !shape.inline && problem(form, path),
    ),
    option.kind !== "object"
      ? field({ ...inner, shape: { ...option, bare: true } })
      : one
        ? parts({ ...inner, shape: { ...option, fields: option.fields.map((part) => ({ ...part, bare: true })) } })
        : option.fields.length > 0 && h("div", { class: "set-grid" }, parts(inner)),
  );
}

/** Items in their order, or by their names. @param {Place} place */
function many(place) {
  const { form, shape, holder, key, path, currency } = place;
  const items = /** @type {any[]} */ (holder[key]);
  const id = idOf(form, path);
  const free = shape.names.filter((name) => !items.some((one) => one.name === name));
  const add = (/** @type {string} */ name) => {
    items.push({ ...fresh(shape, currency), name });
    touched(form, path);
    const at = `${path}.${items.length - 1}`;
    requestAnimationFrame(() => requestAnimationFrame(() => first(`${idOf(form, at)}-item`)));
  };
  return group(
    place,
    h(
      "ol",
      { class: "set-items" },
      items.map((one, i) => item(place, one, i)),
    ),
    !items.length && h("p", { class: "set-none quiet" }, `No ${shape.part} yet.`),
    !form.readonly &&
      items.length < shape.most &&
      (shape.kind === "map" && shape.names.length
        ? h(
            "div",
            { class: "set-adds" },
            free.map((name) => button(`Add ${titleOf(shape, name)}`, () => add(name), { look: "small", icon: "plus", id: `${id}-add-${name}` })),
          )
        : button(`Add ${shape.part}`, () => add(""), { look: "small", icon: "plus", id: `${id}-add` })),
  );
}

/** @param {Shape} shape @param {string} name */
const titleOf = (shape, name) => shape.titles[name] ?? name.replaceAll("_", " ");

/** @param {Place} place @param {any} one @param {number} i */
function item(place, one, i) {
  const { form, shape, holder, key, path } = place;
  const items = /** @type {any[]} */ (holder[key]);
  const at = `${path}.${i}`;
  const id = idOf(form, at);
  const inner = /** @type {Shape} */ (shape.item);
  const known = shape.names.includes(one.name);
  const title = shape.kind === "map" ? titleOf(shape, one.name || "new") : `${shape.part} ${i + 1}`;
  return h(
    "li",
    { class: "set-item", key: String(one.key), id: `${id}-item` },
    h(
      "div",
      { class: "set-item-top" },
      h("span", { class: "set-item-title" }, title[0].toUpperCase() + title.slice(1)),
      !form.readonly &&
        h(
          "span",
          { class: "set-item-ways" },
          shape.kind === "list" && i > 0 && iconButton(`Move ${title} up`, "up", () => swap(form, path, items, i, i - 1)),
          shape.kind === "list" && i < items.length - 1 && iconButton(`Move ${title} down`, "down", () => swap(form, path, items, i, i + 1)),
          iconButton(`Remove ${title}`, "close", () => {
            items.splice(i, 1);
            touched(form, path);
            const next = document.getElementById(`${idOf(form, path)}-add`) ?? document.getElementById(idOf(form, path));
            next?.focus();
          }),
        ),
    ),
    shape.kind === "map" &&
      !known &&
      h(
        "div",
        { class: "set-field" },
        h("label", { class: "set-label", for: idOf(form, `${at}.name`) }, "Name"),
        h("input", {
          class: "input",
          id: idOf(form, `${at}.name`),
          value: one.name,
          disabled: form.readonly,
          autocomplete: "off",
          "aria-invalid": form.problems[`${at}.name`] ? "true" : undefined,
          "aria-describedby": form.problems[`${at}.name`] ? `${idOf(form, `${at}.name`)}-problem` : undefined,
          oninput: (/** @type {any} */ event) => {
            one.name = event.target.value;
            touched(form, `${at}.name`);
          },
        }),
        problem(form, `${at}.name`),
      ),
    field({ ...place, shape: itemShape(inner, title), holder: one, key: "value", path: at }),
  );
}

/** An item has its title above it. @param {Shape} inner @param {string} title @returns {Shape} */
function itemShape(inner, title) {
  if (inner.kind === "object") return { ...inner, flat: true };
  return inner.kind === "variant" ? inner : { ...inner, label: title, bare: true };
}

/** @param {Form} form @param {string} path @param {any[]} items @param {number} from @param {number} to */
function swap(form, path, items, from, to) {
  [items[from], items[to]] = [items[to], items[from]];
  touched(form, path);
}

/** @param {string} id */
function first(id) {
  const found = document.getElementById(id)?.querySelector("input, select, textarea");
  /** @type {HTMLElement | null} */ (found)?.focus();
}
