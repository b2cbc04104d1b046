// Screens, settings: fields in which one chooses: one of what there is, several of it, words of one's own, days.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { aboutOf, idOf, set } from "./place.js";

/** @typedef {import("./place.js").Place} Place */

/** @param {Place} place @param {unknown[]} chosen what stands in the field, known or not */
function known({ form, shape }, chosen) {
  const choices = shape.source ? form.choices(shape.source) : shape.choices;
  const lost = chosen.filter((value) => !choices.some((one) => one.value === value));
  return [...choices, ...lost.map((value) => ({ value, label: `${value} (is not there any more)`, hint: "" }))];
}

/** @param {Place} place @param {Record<string, any>} props */
export function choiceField(place, props) {
  const { shape, holder, key } = place;
  const value = holder[key];
  const may = shape.nullable || !shape.required;
  return h(
    "select",
    { ...props, value, onchange: (/** @type {any} */ event) => set(place, event.target.value) },
    (may || value === "") && h("option", { value: "", selected: value === "" }, may ? shape.none : "Choose…"),
    known(place, value === "" ? [] : [JSON.parse(value)]).map((one) => {
      const text = JSON.stringify(one.value);
      return h("option", { value: text, selected: text === value }, one.label);
    }),
  );
}

/** @param {Place} place */
export function choicesField(place) {
  const { form, shape, holder, key, path } = place;
  if (shape.kind === "days") return daysField(place);
  const value = /** @type {unknown[]} */ (holder[key]);
  const options = known(place, value);
  if (!options.length) return h("p", { class: "set-none quiet" }, "There is nothing to choose from yet.");
  return h(
    "div",
    { class: "set-options" },
    options.map((one, i) =>
      h(
        "label",
        { class: "check", key: String(one.value) },
        h("input", {
          type: "checkbox",
          id: `${idOf(form, path)}-${i}`,
          checked: value.includes(one.value),
          disabled: form.readonly,
          "aria-describedby": aboutOf(form, shape, path),
          onchange: (/** @type {any} */ event) =>
            set(place, event.target.checked ? [...value, one.value] : value.filter((other) => other !== one.value)),
        }),
        h("span", null, one.label, one.hint && h("span", { class: "quiet set-option-hint" }, ` ${one.hint}`)),
      ),
    ),
    !value.length && shape.none !== "None" && h("p", { class: "set-none quiet" }, shape.none),
  );
}

/** Words, each a chip: Enter or a comma adds one, Backspace in the empty field takes the last one back. @param {Place} place @param {Record<string, any>} props */
export function wordsField(place, props) {
  const { form, shape, holder, key, path } = place;
  const value = /** @type {string[]} */ (holder[key]);
  const id = idOf(form, path);
  const offered = shape.source ? form.choices(shape.source).filter((one) => !value.includes(one.value)) : [];
  const add = (/** @type {any} */ input) => {
    const news = input.value.split(",").map((/** @type {string} */ one) => one.trim()).filter(Boolean);
    input.value = "";
    if (news.length) set(place, [...new Set([...value, ...news])]);
  };
  return h(
    "div",
    { class: "set-words" },
    value.map((one) => chip(form, one, () => set(place, value.filter((other) => other !== one)))),
    !form.readonly &&
      h("input", {
        ...props,
        type: "text",
        list: offered.length ? `${id}-offered` : undefined,
        autocomplete: "off",
        inputmode: shape.input === "number" ? "decimal" : undefined,
        placeholder: value.length ? "" : shape.none === "None" ? "Type and press Enter" : `${shape.none}. Type and press Enter`,
        onkeydown: (/** @type {any} */ event) => {
          if (event.key === "Enter" || event.key === ",") {
            event.preventDefault();
            add(event.target);
          } else if (event.key === "Backspace" && !event.target.value && value.length) set(place, value.slice(0, -1));
        },
        // A word that was typed and not closed is meant all the same.
        onblur: (/** @type {any} */ event) => add(event.target),
      }),
    form.readonly && !value.length && h("span", { class: "quiet" }, shape.none),
    offered.length > 0 && h("datalist", { id: `${id}-offered` }, offered.map((one) => h("option", { value: one.value }, one.label))),
  );
}

/** @param {import("./place.js").Form} form @param {string} word @param {() => void} remove */
function chip(form, word, remove) {
  return h(
    "span",
    { class: "set-chip", key: word },
    word,
    !form.readonly &&
      h("button", { type: "button", class: "set-chip-remove", "aria-label": `Remove ${word}`, title: `Remove ${word}`, onclick: remove }, icon("close", true)),
  );
}

/** Days on which nobody works. @param {Place} place */
function daysField(place) {
  const { form, shape, holder, key, path } = place;
  const value = /** @type {string[]} */ (holder[key]);
  const id = idOf(form, path);
  const add = () => {
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById(`${id}-day`));
    if (!input?.value) return;
    const day = input.value;
    input.value = "";
    set(place, [...new Set([...value, day])].sort());
  };
  return h(
    "div",
    { class: "set-words" },
    value.map((one) => chip(form, one, () => set(place, value.filter((other) => other !== one)))),
    !form.readonly &&
      h("span", { class: "set-with" }, h("input", { class: "input", type: "date", id: `${id}-day`, "aria-label": `${shape.label}: a day` }), button("Add", add, { look: "small" })),
    form.readonly && !value.length && h("span", { class: "quiet" }, "None"),
  );
}
