// Screens, core: a small safe subset of Markdown as nodes. Text stays text: there is no path from a message to markup.

import { h } from "./dom.js";

/** @typedef {import("./dom.js").VNode} VNode */

const INLINE =
  /(`+)([^`]+?)\1(?!`)|\*\*(?=\S)([^*]+?)\*\*|__(?=\S)([^_]+?)__|(?<![\w*])\*(?=[^\s*])((?:[^*]|\*\*[^*]+\*\*)+?)\*(?![\w*])|(?<![\w_])_(?=\S)([^_]+?)_(?!\w)|\[([^\]]*)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)|(https?:\/\/[^\s<>"')\]]+)/;
const FENCE = /^\s*```/;
const BULLET = /^\s{0,3}[-*+]\s+(.*)$/;
const NUMBER = /^\s{0,3}(\d{1,6})[.)]\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;

/**
 * @param {string} text
 * @returns {VNode[]}
 */
export function markdown(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  /** @type {VNode[]} */
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
    } else if (FENCE.test(line)) {
      const end = lines.findIndex((one, i) => i > at && FENCE.test(one));
      const until = end < 0 ? lines.length : end;
      blocks.push(
        h(
          "pre",
          { class: "code", tabindex: "0", role: "group", "aria-label": "Code" },
          h("code", null, lines.slice(at + 1, until).join("\n")),
        ),
      );
      at = until + 1;
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      const pattern = BULLET.test(line) ? BULLET : NUMBER;
      const items = [];
      const first = pattern === NUMBER ? (line.match(NUMBER)?.[1] ?? "1") : "1";
      while (at < lines.length && (pattern.test(lines[at]) || (items.length > 0 && /^\s{2,}\S/.test(lines[at])))) {
        const found = lines[at].match(pattern);
        if (found) items.push(found[found.length - 1]);
        else items[items.length - 1] += ` ${lines[at].trim()}`;
        at += 1;
      }
      const rows = items.map((item) => h("li", null, inline(item)));
      blocks.push(pattern === BULLET ? h("ul", null, rows) : h("ol", first === "1" ? null : { start: first }, rows));
    } else if (QUOTE.test(line)) {
      const quoted = [];
      while (at < lines.length && QUOTE.test(lines[at])) quoted.push(lines[at++].replace(QUOTE, "$1"));
      blocks.push(h("blockquote", null, h("p", null, withBreaks(quoted))));
    } else if (HEADING.test(line)) {
      // A heading inside a message would break the outline of the page, so it is strong text.
      blocks.push(h("p", null, h("strong", null, inline(line.replace(HEADING, "$1")))));
      at += 1;
    } else {
      const paragraph = [];
      while (at < lines.length && lines[at].trim() && !starts(lines[at], paragraph.length)) paragraph.push(lines[at++]);
      blocks.push(h("p", null, withBreaks(paragraph)));
    }
  }
  return blocks;
}

/**
 * Text that is still being written, with the caret behind its last word.
 * @param {string} text
 * @returns {VNode[]}
 */
export function streaming(text) {
  const blocks = markdown(text);
  let last = blocks.at(-1);
  if (last?.tag === "ul" || last?.tag === "ol") last = last.children?.at(-1);
  if (last && (last.tag === "p" || last.tag === "li")) last.props = { ...last.props, class: "streaming" };
  else blocks.push(h("p", { class: "streaming" }));
  return blocks;
}

/** Whether this line ends the paragraph before it. @param {string} line @param {number} length */
function starts(line, length) {
  return (
    length > 0 &&
    (FENCE.test(line) || BULLET.test(line) || /^\s{0,3}1[.)]\s/.test(line) || HEADING.test(line) || QUOTE.test(line))
  );
}

/** @param {string[]} lines */
function withBreaks(lines) {
  return lines.flatMap((line, i) => (i ? [h("br"), ...inline(line)] : inline(line)));
}

/**
 * @param {string} text
 * @returns {(VNode | string)[]}
 */
export function inline(text) {
  /** @type {(VNode | string)[]} */
  const out = [];
  let rest = text;
  while (rest) {
    const found = rest.match(INLINE);
    if (!found || found.index === undefined) break;
    if (found.index) out.push(rest.slice(0, found.index));
    const [whole, , code, strong, strong2, em, em2, label, target, bare] = found;
    if (code !== undefined) out.push(h("code", null, code.trim() || code));
    else if (strong ?? strong2) out.push(h("strong", null, inline(strong ?? strong2)));
    else if (em ?? em2) out.push(h("em", null, inline(em ?? em2)));
    else if (bare !== undefined) {
      const url = bare.replace(/[.,;:!?]+$/, "");
      out.push(link(url, [url]) ?? url, bare.slice(url.length));
    } else out.push(link(target, label ? inline(label) : [target]) ?? whole);
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) out.push(rest);
  return out;
}

/**
 * Only addresses that cannot run anything become links.
 * @param {string} target @param {(VNode | string)[]} children @returns {VNode | null}
 */
function link(target, children) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return null;
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return null;
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, children);
}
