// Screens, settings: fields for an amount with its unit: money, and lengths of time.

import { h } from "../core/dom.js";
import { idOf, set } from "./place.js";
import { UNIT_NAMES, digitsOf, majorOf, minorOf, spelled } from "./units.js";

/** @typedef {import("./place.js").Place} Place */

/** Money, as people write it. @param {Place} place @param {Record<string, any>} props */
export function money(place, props) {
  const { holder, key, currency } = place;
  const value = holder[key];
  return h(
    "div",
    { class: "set-with" },
    h("input", {
      ...props,
      value,
      oninput: (/** @type {any} */ event) => set(place, event.target.value),
      inputmode: "decimal",
      autocomplete: "off",
    }),
    h("span", { class: "set-unit" }, currency || "in the currency"),
    minorHint(value, currency),
  );
}

/** What the server will be told, where that is not obvious. @param {string} value @param {string} currency */
function minorHint(value, currency) {
  const minor = minorOf(value, currency);
  return !Number.isNaN(minor) && currency && digitsOf(currency) !== 2 && h("span", { class: "set-said" }, `= ${majorOf(minor, currency)}`);
}

/** A length: a number, its unit, and both in words. @param {Place} place @param {Record<string, any>} props */
export function seconds(place, props) {
  const { form, shape, holder, key, path } = place;
  const { amount, unit } = holder[key];
  const length = Number(amount.replace(",", ".")) * unit;
  const said = amount.trim() && Number.isFinite(length) ? spelled(length) : "";
  const plain = UNIT_NAMES.find((one) => one.seconds === unit)?.name ?? "";
  const obvious = said === `${amount.trim()} ${plain}` || said === `${amount.trim()} ${plain.slice(0, -1)}`;
  const change = (/** @type {any} */ part) => set(place, { ...holder[key], ...part });
  return h(
    "div",
    { class: "set-with" },
    h("input", {
      ...props,
      class: "input set-amount",
      placeholder: shape.nullable ? "none" : undefined,
      value: amount,
      inputmode: "decimal",
      autocomplete: "off",
      oninput: (/** @type {any} */ event) => change({ amount: event.target.value }),
    }),
    h(
      "select",
      {
        class: "input set-units",
        "aria-label": `${shape.label}: unit`,
        value: String(unit),
        disabled: form.readonly,
        onchange: (/** @type {any} */ event) => change({ unit: Number(event.target.value) }),
      },
      UNIT_NAMES.map((one) => h("option", { value: String(one.seconds), selected: one.seconds === unit }, one.name)),
    ),
    said && !obvious && h("span", { class: "set-said", id: `${idOf(form, path)}-said` }, `= ${said}`),
  );
}
