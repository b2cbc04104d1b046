// Screens, inbox: a field to type in, and below it what fits, chosen with the arrow keys and Enter or by hand.

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

/** @typedef {{key: string, words: string, view: any, about?: any, label?: string}} Option `words` are searched, `about` stands at the end */
/** @typedef {{typed: string, at: number}} Chosen what was typed, and which one is marked */

/** @returns {Chosen} */
export const nothingChosen = () => ({ typed: "", at: 0 });

/** @param {Option[]} options @param {Chosen} chosen */
export function fitting(options, { typed }) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return options.filter((option) => words.every((word) => option.words.toLowerCase().includes(word)));
}

/**
 * @param {{id: string, label: string, placeholder: string, options: Option[], chosen: Chosen, changed: () => void, none: string,
 *   take: (option: Option) => void, mark?: (option: Option) => void}} facts `take`: by Enter; `mark`: by a click, else that takes too
 */
export function chooser({ id, label, placeholder, options, chosen, changed, none, take, mark = take }) {
  const matches = fitting(options, chosen);
  chosen.at = Math.min(chosen.at, Math.max(0, matches.length - 1));
  return [
    h(
      "div",
      { class: "palette-search", key: `${id}-search` },
      icon("search"),
      h("input", {
        id: `${id}-input`,
        role: "combobox",
        "aria-label": label,
        "aria-expanded": "true",
        "aria-controls": `${id}-list`,
        "aria-autocomplete": "list",
        "aria-activedescendant": matches.length ? `${id}-${chosen.at}` : undefined,
        autocomplete: "off",
        autofocus: true,
        placeholder,
        value: chosen.typed,
        oninput: (/** @type {any} */ event) => {
          chosen.typed = event.target.value;
          chosen.at = 0;
          changed();
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (step && matches.length) {
            event.preventDefault();
            chosen.at = (chosen.at + step + matches.length) % matches.length;
            changed();
            requestAnimationFrame(() => document.getElementById(`${id}-${chosen.at}`)?.scrollIntoView({ block: "nearest" }));
          } else if (event.key === "Enter" && !event.isComposing) {
            event.preventDefault();
            // What was typed last may not be drawn yet.
            const found = fitting(options, chosen)[chosen.at];
            if (found) take(found);
          }
        },
      }),
    ),
    matches.length
      ? h(
          "ul",
          { id: `${id}-list`, class: "chooser-list", role: "listbox", "aria-label": label, key: `${id}-list` },
          matches.map((option, i) =>
            h(
              "li",
              {
                id: `${id}-${i}`,
                key: option.key,
                role: "option",
                "aria-selected": i === chosen.at ? "true" : "false",
                onclick: () => {
                  chosen.at = i;
                  changed();
                  mark(option);
                },
              },
              option.view,
              option.about && h("span", { class: "chooser-about" }, option.about),
            ),
          ),
        )
      : h("p", { class: "palette-none", id: `${id}-list`, role: "status", key: `${id}-none` }, none),
  ];
}
