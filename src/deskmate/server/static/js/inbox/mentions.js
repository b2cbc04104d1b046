// Screens, inbox: who a note calls on, marked in its text.

import { h } from "../core/dom.js";

/** @typedef {import("../core/dom.js").VNode} VNode */

/**
 * The blocks of a note with each mention as a part of its own. Code and links are left as they are.
 * @param {VNode[]} blocks @param {import("../core/types.js").Operator[]} team @param {string} me
 * @returns {VNode[]}
 */
export function withMentions(blocks, team, me) {
  /** @type {Map<string, {id: string, name: string}>} */
  const spellings = new Map([["ai", { id: "ai", name: "ai" }]]);
  for (const { id, name } of team) {
    spellings.set(name.toLowerCase(), { id, name });
    spellings.set(`{${id.toLowerCase()}}`, { id, name });
  }
  const longest = [...spellings.keys()]
    .sort((a, b) => b.length - a.length)
    .map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\w@.+-])@(${longest.join("|")})(?![\\p{L}\\p{M}\\p{N}_])`, "giu");

  /** @param {VNode} node @returns {VNode | VNode[]} */
  const marked = (node) => {
    if (node.text === undefined) {
      if (!node.children || ["code", "pre", "a"].includes(node.tag ?? "")) return node;
      return { ...node, children: node.children.flatMap(marked) };
    }
    const { text } = node;
    /** @type {VNode[]} */
    const out = [];
    let from = 0;
    for (const found of text.matchAll(pattern)) {
      const who = spellings.get(found[1].toLowerCase());
      if (!who) continue;
      if (found.index > from) out.push({ text: text.slice(from, found.index) });
      out.push(h("span", { class: `note-mention${who.id === me ? " note-mention--me" : ""}` }, `@${who.name}`));
      from = found.index + found[0].length;
    }
    return out.length ? [...out, { text: text.slice(from) }] : node;
  };
  return blocks.flatMap(marked);
}
