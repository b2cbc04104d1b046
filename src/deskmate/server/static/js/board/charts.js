// Screens, board: charts from plain data, drawn as SVG. Every number is also in words or in a table, and no series is told by colour alone.

import { h } from "../core/dom.js";

const [WIDE, HIGH] = [440, 156];
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 322, 10, 132];

/**
 * Horizontal bars: words, a number, and a bar that is its part of the whole.
 * @param {{key: string, label: any, value: number, words: any, look?: string, more?: any}[]} rows @param {number} whole
 */
export function bars(rows, whole) {
  return h(
    "ol",
    { class: "bars" },
    rows.map(({ key, label, value, words, look = "operator", more }) =>
      h(
        "li",
        { class: "bar-row", key },
        h("span", { class: "bar-label" }, label),
        h("span", { class: "bar-words" }, words),
        h(
          "svg",
          { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
          h("rect", { class: "f-neutral", x: 0, y: 0, width: 100, height: 6 }),
          value > 0 && h("rect", { class: `f-${look}`, x: 0, y: 0, width: Math.max(1, (100 * value) / (whole || 1)), height: 6 }),
        ),
        more,
      ),
    ),
  );
}

/** The smallest round number that is not below. @param {number} most */
export function roundUp(most) {
  if (most <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 8, 10].map((by) => by * ten).find((value) => value >= most) ?? 10 * ten;
}

/** @param {number} count @param {number} place */
function across(count, place) {
  return LEFT + ((RIGHT - LEFT) * (place + 0.5)) / Math.max(1, count);
}

/** @param {string} id @param {string} title @param {number} top @param {(value: number) => string} unit @param {string[]} labels @param {...any} drawn */
function frame(id, title, top, unit, labels, ...drawn) {
  const up = (/** @type {number} */ value) => BOTTOM - ((BOTTOM - TOP) * value) / top;
  // Four or five labels are read, twenty-four are not.
  const every = Math.max(1, Math.ceil(labels.length / 5));
  return h(
    "svg",
    { class: "chart chart--wide", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-labelledby": id },
    h("title", { id }, title),
    [0, top / 2, top].map((value) => [
      h("path", { class: value ? "grid" : "axis", d: `M${LEFT} ${up(value)}H${RIGHT}` }),
      h("text", { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, unit(value)),
    ]),
    labels.map((words, place) =>
      (labels.length - 1 - place) % every === 0
        ? h("text", { x: across(labels.length, place), y: 148, "text-anchor": "middle" }, words)
        : null,
    ),
    drawn,
  );
}

/**
 * Lines over time; where there is no value the line is broken.
 * @param {{id: string, title: string, labels: string[], unit: (value: number) => string,
 *   series: {name: string, look: string, line?: string, values: (number | null)[]}[]}} what
 */
export function lines({ id, title, labels, unit, series }) {
  const top = roundUp(Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const up = (/** @type {number} */ value) => BOTTOM - ((BOTTOM - TOP) * value) / top;
  let taken = Number.NEGATIVE_INFINITY;
  const drawn = series.map(({ name, look, line = "", values }) => {
    const known = values.flatMap((value, place) => (value === null ? [] : [{ value, place, x: across(labels.length, place) }]));
    const last = known.at(-1);
    // The names stand beside the ends of their lines, never over each other: the upper line comes first.
    const y = last ? Math.max(up(last.value) + 4, taken + 16) : 0;
    if (last) taken = y;
    const path = known.map(({ value, place, x }, i) => `${i && known[i - 1].place === place - 1 ? "L" : "M"}${x} ${up(value)}`).join("");
    return [
      h("path", { class: `series c-${look} ${line}`, d: path || "M0 0" }),
      known.map(({ value, x }) => mark(look, line, x, up(value))),
      last && mark(look, line, RIGHT + 14, y - 4),
      last && h("text", { class: "label", x: RIGHT + 24, y }, name),
    ];
  });
  return frame(id, title, top, unit, labels, drawn);
}

/** A dot, or the frame around one. @param {string} look @param {string} line @param {number} x @param {number} y */
function mark(look, line, x, y) {
  return line
    ? h("rect", { class: `series c-${look}`, x: x - 5, y: y - 5, width: 10, height: 10 })
    : h("circle", { class: `f-${look}`, cx: x, cy: y, r: 3.5 });
}

/**
 * Columns over time, one part on top of the other.
 * @param {{id: string, title: string, labels: string[], parts: {name: string, look: string, values: number[]}[]}} what
 */
export function stacks({ id, title, labels, parts }) {
  const totals = labels.map((_, place) => parts.reduce((sum, { values }) => sum + values[place], 0));
  const top = Math.max(2, roundUp(Math.max(0, ...totals)));
  const tall = (/** @type {number} */ value) => ((BOTTOM - TOP) * value) / top;
  const width = Math.min(26, ((RIGHT - LEFT) / Math.max(1, labels.length)) * 0.72);
  const columns = labels.map((_, place) => {
    let foot = BOTTOM;
    return parts.map(({ look, values }) => {
      const height = tall(values[place]);
      if (!height) return null;
      foot -= height;
      return h("rect", { class: `f-${look}`, x: across(labels.length, place) - width / 2, y: foot, width, height: Math.max(0.5, height - 1), rx: 1 });
    });
  });
  const names = [...parts].reverse().map(({ name, look }, place) => [
    h("rect", { class: `f-${look}`, x: RIGHT + 8, y: 20 + place * 24, width: 9, height: 9, rx: look === "operator" ? 4.5 : 1 }),
    h("text", { class: "label", x: RIGHT + 22, y: 28 + place * 24 }, name),
  ]);
  return frame(id, title, top, (value) => (Number.isInteger(value) ? String(value) : ""), labels, columns, names);
}

/** The same numbers for those who rather read. @param {string[]} head @param {(string | number)[][]} rows */
export function table(head, rows) {
  return h(
    "details",
    { class: "as-table" },
    h("summary", null, "As a table"),
    h(
      "table",
      { class: "table" },
      h("thead", null, h("tr", null, head.map((words, at) => h("th", { scope: "col", class: at ? "number" : undefined }, words)))),
      h(
        "tbody",
        null,
        rows.map(([first, ...rest]) =>
          h("tr", { key: String(first) }, h("th", { scope: "row" }, first), rest.map((cell) => h("td", { class: "number" }, cell))),
        ),
      ),
    ),
  );
}
