// Screens, settings: the hours of a calendar, day by day.

import { h } from "../core/dom.js";
import { button, iconButton } from "../core/parts.js";
import { DAYS, span } from "./draft.js";
import { idOf, problem, touched } from "./place.js";

/** @typedef {import("./place.js").Place} Place */

const NAMES = { mon: "Monday", tue: "Tuesday", wed: "Wednesday", thu: "Thursday", fri: "Friday", sat: "Saturday", sun: "Sunday" };
const WORKDAYS = DAYS.slice(1, 5);

/** @param {Place} place */
export function hoursField(place) {
  const { form, holder, key, path } = place;
  const draft = holder[key];
  const copy = () => {
    for (const day of WORKDAYS) draft[day] = draft.mon.map((/** @type {any} */ one) => span(one.from, one.to));
    touched(form, path);
  };
  return [
    h(
      "div",
      { class: "hours" },
      DAYS.map((day) => dayRow(place, day)),
    ),
    !form.readonly && draft.mon.length > 0 && button("Monday's hours to Friday", copy, { look: "small", icon: "copy" }),
  ];
}

/** @param {Place} place @param {typeof DAYS[number]} day */
function dayRow({ form, holder, key, path }, day) {
  const spans = holder[key][day];
  const name = NAMES[day];
  const where = `${path}.${day}`;
  const change = (/** @type {any[]} */ next) => {
    holder[key][day] = next;
    touched(form, where);
  };
  return h(
    "div",
    { class: "hours-day", role: "group", "aria-label": name, key: day, id: idOf(form, where), tabindex: "-1" },
    h("span", { class: "hours-name", "aria-hidden": "true" }, name),
    h(
      "span",
      { class: "hours-spans" },
      !spans.length && h("span", { class: "quiet" }, "closed"),
      spans.map((/** @type {any} */ one, /** @type {number} */ i) =>
        h(
          "span",
          { class: "hours-span", key: String(one.key) },
          clock(form, one, "from", `${name}, from`, where),
          "to",
          clock(form, one, "to", `${name}, to`, where),
          !form.readonly &&
            iconButton(`Remove ${one.from} to ${one.to} on ${name}`, "close", () => change(spans.filter((/** @type {any} */ _, /** @type {number} */ at) => at !== i))),
        ),
      ),
    ),
    !form.readonly &&
      iconButton(`Add hours on ${name}`, "plus", () => change([...spans, spans.length ? span("14:00", "18:00") : span("09:00", "17:30")])),
    problem(form, where),
  );
}

/** The browser's own field for a time knows no 24:00. @param {import("./place.js").Form} form @param {any} one @param {"from" | "to"} end @param {string} label @param {string} where */
function clock(form, one, end, label, where) {
  return h("input", {
    class: "input hours-clock",
    value: one[end],
    maxlength: 5,
    inputmode: "numeric",
    placeholder: end === "from" ? "09:00" : "17:30",
    autocomplete: "off",
    disabled: form.readonly,
    "aria-label": label,
    "aria-invalid": form.problems[where] ? "true" : undefined,
    "aria-describedby": form.problems[where] ? `${idOf(form, where)}-problem` : undefined,
    oninput: (/** @type {any} */ event) => {
      one[end] = event.target.value;
      touched(form, where);
    },
  });
}
