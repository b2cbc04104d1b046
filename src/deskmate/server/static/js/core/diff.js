// Screens, core: what changed between two texts, word by word.

import { h } from "./dom.js";

/** @typedef {{kind: "same" | "removed" | "added", text: string}} Piece */

const WORDS = /\s+|[\p{L}\p{N}_'’-]+|[^\s]/gu;
/** Above this many comparisons two texts are shown whole: nobody reads such a diff, and the page would stand still. */
const LIMIT = 4_000_000;

/** @param {string} before @param {string} after @returns {Piece[]} removed words come before the added ones */
export function diffWords(before, after) {
  const a = before.match(WORDS) ?? [];
  const b = after.match(WORDS) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return gather([...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))]);
}

/** @param {string[]} words @returns {Piece[]} */
const same = (words) => words.map((text) => ({ kind: "same", text }));

/** A word in common says more than a full stop, and that more than a space. @param {string} word */
const weight = (word) => (/[\p{L}\p{N}]/u.test(word) ? 8 : word.trim() ? 3 : 1);

/** The heaviest common subsequence. @param {string[]} a @param {string[]} b @returns {Piece[]} */
function compare(a, b) {
  /** @type {Piece[]} */
  const out = [];
  if (a.length * b.length > LIMIT) {
    return [
      { kind: "removed", text: a.join("") },
      { kind: "added", text: b.join("") },
    ];
  }
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        a[i] === b[j]
          ? table[(i + 1) * width + j + 1] + weight(a[i])
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: "same", text: a[i] });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      out.push({ kind: "removed", text: a[i++] });
    } else out.push({ kind: "added", text: b[j++] });
  }
  return out;
}

/** Changes with nothing but space between them read as one. @param {Piece[]} pieces @returns {Piece[]} */
function gather(pieces) {
  /** @type {Piece[]} */
  const out = [];
  let removed = "";
  let added = "";
  let space = "";
  const flush = () => {
    if (removed) out.push({ kind: "removed", text: removed });
    if (added) out.push({ kind: "added", text: added });
    if (space) out.push({ kind: "same", text: space });
    removed = added = space = "";
  };
  for (const { kind, text } of pieces) {
    if (kind === "same" && (removed || added) && !text.trim()) space += text;
    else if (kind === "same") {
      flush();
      const last = out.at(-1);
      if (last?.kind === "same") last.text += text;
      else out.push({ kind, text });
    } else {
      removed += space;
      added += space;
      space = "";
      if (kind === "removed") removed += text;
      else added += text;
    }
  }
  flush();
  return out;
}

/** @param {string} before @param {string} after */
export function diffView(before, after) {
  return diffWords(before, after).map(({ kind, text }) =>
    kind === "same" ? text : h(kind === "removed" ? "del" : "ins", null, text),
  );
}
