// Screens, judgement: the curve drawn: how much of what the AI answers alone is wrong, by how much it answers alone.

import { h } from "../core/dom.js";
import { percent, score, small } from "./words.js";

/** @typedef {import("./words.js").Point} Point */
/** @typedef {import("./words.js").Curve} Curve */
/** @typedef {{wide: number, high: number, left: number, right: number, top: number, bottom: number}} Frame */

const STEPS = [0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2, 0.3, 0.4, 0.6, 1];

/** @param {boolean} narrow @returns {Frame} */
export function frameOf(narrow) {
  return narrow
    ? { wide: 340, high: 236, left: 36, right: 334, top: 34, bottom: 200 }
    : { wide: 740, high: 300, left: 44, right: 728, top: 34, bottom: 262 };
}

/** High enough for what is accepted and what was seen, not for a bound of nothing. @param {Curve} curve */
export function topOf({ max_error: accepted, points }) {
  const seen = Math.max(...points.filter((one) => one.labels >= 10).map((one) => one.error ?? 0), 0);
  const needed = Math.max(accepted * 2.4, seen * 1.15);
  return STEPS.find((one) => one >= needed) ?? 1;
}

/**
 * @param {{curve: Curve, today: Point | null, at: Point, title: string, frame: Frame, choose: (coverage: number) => void}} what
 */
export function plot({ curve, today, at, title, frame, choose }) {
  const { wide, high, left, right, top, bottom } = frame;
  const most = topOf(curve);
  const same = at.floor === today?.floor;
  const x = (/** @type {number} */ coverage) => left + (right - left) * coverage;
  const y = (/** @type {number | null} */ error) => bottom - (bottom - top) * Math.min(1, (error ?? 0) / most);
  const reach = curve.floor === null ? null : curve.points.filter((one) => one.floor >= /** @type {number} */ (curve.floor) - 1e-9).at(-1);
  const pressed = (/** @type {PointerEvent} */ event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = /** @type {SVGElement} */ (event.currentTarget).getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * wide;
    choose(Math.min(1, Math.max(0, (place - left) / (right - left))));
  };
  return h(
    "svg",
    { class: "chart curve", viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-labelledby": "curve-chart", onpointerdown: pressed, onpointermove: pressed },
    h("title", { id: "curve-chart" }, title),
    reach && h("rect", { class: "curve-allowed", x: left, y: top, width: x(reach.coverage) - left, height: bottom - top }),
    [0, most / 2, most].map((value) => [
      h("path", { class: value ? "grid" : "axis", d: `M${left} ${y(value)}H${right}` }),
      h("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, small(value)),
    ]),
    [0, 0.25, 0.5, 0.75, 1].map((value) =>
      h("text", { x: x(value), y: bottom + 15, "text-anchor": value === 1 ? "end" : value ? "middle" : "start" }, `${value * 100} %`),
    ),
    h("text", { class: "curve-axis", x: (left + right) / 2, y: bottom + 30, "text-anchor": "middle" }, "share that the AI answers alone"),
    h("path", { class: "series curve-accepted", d: `M${left} ${y(curve.max_error)}H${right}` }),
    h("text", { class: "curve-accepted-words", x: x(roomFor(curve, most, [at, today], frame)), y: y(curve.max_error) - 5 }, `accepted ${small(curve.max_error)}`),
    h("path", { class: "series c-agent dash", d: inside(curve.points, most, x, y) }),
    h("path", { class: "series c-agent", d: curve.points.filter((one) => one.error !== null).map((one, i) => `${i ? "L" : "M"}${x(one.coverage)} ${y(one.error)}`).join("") || "M0 0" }),
    !same && today && floorLine("today", x(today.coverage), `today ${score(today.floor)}`, frame, 1),
    floorLine(same ? "today" : "at", x(at.coverage), `${same ? "today " : ""}${score(at.floor)}, ${percent(at.coverage)} alone`, frame, 0),
    at.bound <= most && h("circle", { class: "curve-bound-dot", cx: x(at.coverage), cy: y(at.bound), r: 4 }),
    h("circle", { class: "curve-dot", cx: x(at.coverage), cy: y(at.error), r: 4.5 }),
  );
}

/** Where the words stand above the line of what is accepted, with no other line through them: a share, from the left. @param {Curve} curve @param {number} most @param {(Point | null)[]} floors @param {Frame} frame */
function roomFor({ max_error: accepted, points }, most, floors, { left, right, top, bottom }) {
  const [width, height] = [92 / (right - left), (20 * most) / (bottom - top)];
  const within = (/** @type {number | null} */ error) => error !== null && error > accepted - height / 6 && error < accepted + height;
  const free = (/** @type {number} */ from) =>
    points.every((one) => one.coverage < from - 0.02 || one.coverage > from + width || !(within(one.error) || within(one.bound))) &&
    floors.every((one) => !one || one.coverage < from || one.coverage > from + width);
  return [0.01, 0.28, 0.4, 0.52, 0.16].find(free) ?? 0.01;
}

/** The bound where it fits into the frame: cut where it leaves it. @param {Point[]} points @param {number} most @param {(value: number) => number} x @param {(value: number) => number} y */
function inside(points, most, x, y) {
  let path = "";
  points.forEach((one, i) => {
    const before = points[i - 1];
    if (before && (before.bound <= most) !== (one.bound <= most)) {
      const part = (most - before.bound) / (one.bound - before.bound);
      const edge = `${x(before.coverage + (one.coverage - before.coverage) * part)} ${y(most)}`;
      path += one.bound <= most ? `M${edge}L${x(one.coverage)} ${y(one.bound)}` : `L${edge}`;
    } else if (one.bound <= most) path += `${before ? "L" : "M"}${x(one.coverage)} ${y(one.bound)}`;
  });
  return path || "M0 0";
}

/** A floor is a line from top to bottom with its words above it: those of today in a row of their own. @param {"today" | "at"} look @param {number} x @param {string} words @param {Frame} frame @param {number} row */
function floorLine(look, x, words, { left, right, top, bottom }, row) {
  const anchor = x > right - 80 ? "end" : x < left + 80 ? "start" : "middle";
  return [
    h("path", { class: `series curve-floor curve-floor--${look}`, d: `M${x} ${top - (row ? 19 : 4)}V${bottom}` }),
    h("text", { class: `label curve-label--${look}`, x: x + (row ? (anchor === "end" ? -4 : 4) : 0), y: row ? 12 : top - 8, "text-anchor": row && anchor === "middle" ? "start" : anchor }, words),
  ];
}
