// Screens, board: the rail of the pages that lead: the inbox, the board, judgement, and the theme.

import { h } from "../core/dom.js";
import { icon, logo } from "../core/icons.js";
import { isDark, setTheme } from "../core/theme.js";

/** @typedef {{board?: string, judgement?: string}} Addresses */

/** @param {"board" | "judgement"} here @param {() => void} changed draws the page anew @param {Addresses} [addresses] with what is chosen there */
export function rail(here, changed, { board = "/board", judgement = "/judgement" } = {}) {
  const dark = isDark();
  return h(
    "nav",
    { class: "rail", "aria-label": "Desk", key: "rail" },
    h("a", { class: "rail-brand", href: "/inbox" }, logo(), h("span", { class: "rail-text" }, "Deskmate")),
    link("Inbox", "inbox", "/inbox", false),
    link("Board", "board", board, here === "board"),
    link("Judgement", "judgement", judgement, here === "judgement"),
    h(
      "div",
      { class: "rail-end" },
      h(
        "button",
        {
          type: "button",
          class: "rail-item",
          title: dark ? "Light theme" : "Dark theme",
          onclick: () => {
            setTheme(dark ? "light" : "dark");
            changed();
          },
        },
        icon(dark ? "sun" : "moon"),
        h("span", { class: "rail-text" }, dark ? "Light theme" : "Dark theme"),
      ),
    ),
  );
}

/** @param {string} name @param {string} mark @param {string} href @param {boolean} current */
function link(name, mark, href, current) {
  return h(
    "a",
    { class: "rail-item", href, title: name, "aria-current": current ? "page" : undefined },
    icon(mark),
    h("span", { class: "rail-text" }, name),
  );
}
