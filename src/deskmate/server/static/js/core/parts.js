// Screens, core: small parts that every zone draws: avatars, times, buttons, empty and broken zones.

import { h } from "./dom.js";
import { clock, full, initials, iso } from "./format.js";
import { icon, picture } from "./icons.js";

/**
 * People are round, machines are square.
 * @param {string} kind customer, operator, agent or queue
 * @param {string | null | undefined} name
 * @param {{size?: string, label?: string, presence?: string}} [options] without a label it is decoration, for the name stands beside it
 */
export function avatar(kind, name, { size, label, presence } = {}) {
  const shape = kind === "service" ? "agent" : kind;
  const letters = shape === "agent" ? "AI" : shape === "queue" ? initials(name)[0] : initials(name);
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return h(
    "span",
    { class: `avatar avatar--${shape}${size ? ` avatar--${size}` : ""}`, ...named },
    letters,
    presence && h("span", { class: `presence presence--${presence}` }),
  );
}

/** @param {any} time */
export function timeOf(time) {
  return h("time", { datetime: iso(time), title: full(time) }, clock(time));
}

/**
 * @param {string} label what it says
 * @param {() => void} onclick
 * @param {{look?: string, icon?: string, keys?: string, id?: string, disabled?: boolean, type?: string, class?: string, title?: string}} [options]
 */
export function button(
  label,
  onclick,
  { look = "", icon: name, keys, id, disabled, type = "button", class: more = "", title } = {},
) {
  const looks = look
    .split(" ")
    .filter(Boolean)
    .map((one) => `button--${one}`);
  return h(
    "button",
    {
      type,
      id,
      title,
      class: ["button", ...looks, more].filter(Boolean).join(" "),
      disabled,
      onclick: type === "submit" ? undefined : onclick,
    },
    name && icon(name),
    h("span", null, label),
    keys && h("kbd", { "aria-hidden": "true" }, keys),
  );
}

/**
 * @param {string} label its name, for it shows an icon only
 * @param {string} name
 * @param {() => void} onclick
 * @param {{look?: string, id?: string, class?: string, props?: Record<string, any>}} [options]
 */
export function iconButton(label, name, onclick, { look = "plain", id, class: more = "", props } = {}) {
  const looks = look
    .split(" ")
    .filter(Boolean)
    .map((one) => `button--${one}`)
    .join(" ");
  return h(
    "button",
    {
      type: "button",
      id,
      class: `button button--icon ${looks} ${more}`.trim(),
      "aria-label": label,
      title: label,
      onclick,
      ...props,
    },
    icon(name),
  );
}

/** @param {string} title @param {string} text @param {{kind?: "inbox" | "chat", key?: string}} [options] @param {...any} more */
export function empty(title, text, { kind = "inbox", key } = {}, ...more) {
  return h("div", { class: "empty", key }, picture(kind), h("h2", null, title), text && h("p", null, text), more);
}

/** A zone that did not load names itself and offers one way on. @param {string} what @param {import("./api.js").Problem} problem @param {() => void} again */
export function broken(what, problem, again) {
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h2", null, `${what} did not load`),
    h("p", null, problem.message),
    button("Try again", again, { icon: "retry" }),
  );
}

/** @param {string} label @param {number} count */
export function skeletonRows(label, count) {
  return h(
    "div",
    { role: "status", "aria-label": label, class: "skeletons" },
    Array.from({ length: count }, () =>
      h(
        "div",
        { class: "row-skeleton" },
        h("span", { class: "skeleton skeleton--avatar" }),
        h("div", null, h("span", { class: "skeleton skeleton--short" }), h("span", { class: "skeleton skeleton--long" })),
      ),
    ),
  );
}

/**
 * A select that looks like the small buttons beside it.
 * @param {string} label @param {string} value @param {[string, string][]} options value and words @param {(value: string) => void} change
 * @param {{id?: string, before?: any, disabled?: boolean}} [more]
 */
export function pick(label, value, options, change, { id, before, disabled } = {}) {
  return h(
    "label",
    { class: "pick button button--plain button--small" },
    h("span", { class: "sr" }, label),
    before,
    h(
      "select",
      { id, value, disabled, onchange: (/** @type {any} */ event) => change(event.target.value) },
      options.map(([key, words]) => h("option", { value: key, selected: key === value }, words)),
    ),
    icon("down", true),
  );
}
