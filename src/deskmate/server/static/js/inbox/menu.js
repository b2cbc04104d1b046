// Screens, inbox: one menu beside the rail, and a part of it that loads by itself.

import { h } from "../core/dom.js";
import { button } from "../core/parts.js";

/** @typedef {import("./main.js").Desk} Desk */

/** @param {string} name @param {string} label @param {...any} body */
export function menu(name, label, ...body) {
  const id = `${name}-menu`;
  return h(
    "div",
    { class: `menu menu--tall menu--${name}`, id, popover: "auto", role: "dialog", "aria-label": label, key: id },
    h("h2", { class: "menu-title" }, label),
    body,
  );
}

/** @param {string} name */
export function close(name) {
  const open = document.getElementById(`${name}-menu`);
  if (open?.matches(":popover-open")) open.hidePopover();
}

/**
 * A part that is on its way, did not come, or has nothing, says so.
 * @param {Desk} desk @param {"views" | "team" | "mentions" | "notices" | "queues"} name @param {string} label @param {string} none
 * @param {() => any} draw
 */
export function part(desk, name, label, none, draw) {
  const { items, loaded, error } = desk.state.around[name];
  if (error) {
    return h(
      "div",
      { class: "menu-said", role: "alert" },
      h("p", null, `${label} did not load. ${error.message}`),
      button("Try again", () => desk.around.load(name), { icon: "retry", look: "small" }),
    );
  }
  if (!loaded) {
    return h(
      "div",
      { class: "menu-said", role: "status", "aria-label": `Loading ${label}` },
      h("span", { class: "skeleton skeleton--long" }),
      h("span", { class: "skeleton skeleton--short" }),
    );
  }
  return items.length ? draw() : none && h("p", { class: "menu-said quiet" }, none);
}
