// Screens, core: the icons, drawn on a grid of 16. A path, a circle or a rectangle each.

import { h } from "./dom.js";

/** @type {Record<string, (string | Record<string, number>)[]>} */
const SHAPES = {
  approval: ["M8 1.8 13 3.5v4c0 3.2-2 5.5-5 6.7-3-1.2-5-3.5-5-6.7v-4z", "m5.7 7.9 1.7 1.7 3-3.3"],
  back: ["M10 3.5 5.5 8l4.5 4.5"],
  board: ["M2.5 13.5h11", "M4.5 11V8M8 11V3.5M11.5 11V6"],
  chat: ["M2.5 3.5h11v7.5H7.5L4.5 13.5V11h-2z"],
  check: ["m3.2 8.5 3.2 3.2 6.4-7"],
  clip: ["m12.8 7.6-4.9 4.9a3 3 0 0 1-4.3-4.3l5.3-5.2a2 2 0 0 1 2.9 2.8l-5.1 5.1a1 1 0 0 1-1.4-1.4l4.4-4.4"],
  clock: [{ cx: 8, cy: 8, r: 5.8 }, "M8 4.8V8l2.2 1.6"],
  close: ["m4 4 8 8M12 4l-8 8"],
  down: ["m4.5 6.3 3.5 3.5 3.5-3.5"],
  up: ["m4.5 9.8 3.5-3.5 3.5 3.5"],
  bell: ["M8 2a4 4 0 0 1 4 4c0 3.6 1.5 4.6 1.5 5.4h-11C2.5 10.6 4 9.6 4 6a4 4 0 0 1 4-4z", "M6.6 13.4a1.5 1.5 0 0 0 2.8 0"],
  judgement: ["M8 2.5v11M5 13.5h6M3.3 4.5h9.4", "M3.3 4.5 1.4 9.3a2.1 2.1 0 0 0 3.8 0z", "M12.7 4.5l-1.9 4.8a2.1 2.1 0 0 0 3.8 0z"],
  key: [{ cx: 5, cy: 11, r: 2.8 }, "m7 9 6.2-6.2M10.6 5.4l2 2"],
  hook: [{ cx: 4, cy: 11.5, r: 2 }, { cx: 12, cy: 11.5, r: 2 }, { cx: 8, cy: 4, r: 2 }, "M7 5.8 4.8 9.7M9 5.8l2.2 3.9M6 11.5h4"],
  coin: [{ cx: 8, cy: 8, r: 6 }, "M10 6a2.3 2.3 0 0 0-4 .5c0 2.3 4 .8 4 3a2.3 2.3 0 0 1-4 .5M8 3.8v8.4"],
  limit: ["M2.5 11.5a6 6 0 1 1 11 0", "M8 9.5 11 5.5"],
  steps: ["M2 13h3.5V9.5H9V6h3.5V2.5H14"],
  draft: ["M2.5 2.5h3M8 2.5h1M2.5 5v2M2.5 10v3.5h3M8 13.5h1", "m7 9.5 5.3-5.3a1.2 1.2 0 0 1 1.7 1.7L8.7 11.2 6.5 11.7z"],
  escalation: ["M8 2.2 14.3 13H1.7z", "M8 6.3v3M8 11.2v.1"],
  inbox: [
    "M2 9.5 3.8 3.6a1 1 0 0 1 1-.7h6.4a1 1 0 0 1 1 .7L14 9.5v2.8a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z",
    "M2 9.5h3.3l1 1.8h3.4l1-1.8H14",
  ],
  info: [{ cx: 8, cy: 8, r: 6 }, "M8 7.3v4M8 4.7v.1"],
  lock: [{ x: 3.5, y: 7, width: 9, height: 6.5, rx: 1.2 }, "M5.5 7V5a2.5 2.5 0 0 1 5 0v2"],
  offline: ["M2 2.5 13.5 13.5", "M5.2 6.1A3.3 3.3 0 0 0 4.5 12.5h7M7.2 4.6a3.6 3.6 0 0 1 4.3 3.3 2.4 2.4 0 0 1 1.9 3.4"],
  person: [{ cx: 8, cy: 5.3, r: 2.8 }, "M2.8 13.6c.4-3 2.4-4.6 5.2-4.6s4.8 1.6 5.2 4.6"],
  question: [{ cx: 8, cy: 8, r: 6 }, "M6.2 6.4a1.85 1.85 0 1 1 2.5 1.7c-.5.2-.7.5-.7 1", "M8 11.3v.1"],
  retry: ["M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3"],
  route: [{ cx: 3.5, cy: 12, r: 1.7 }, { cx: 12.5, cy: 4, r: 1.7 }, "M5.2 12h4.3a2 2 0 0 0 0-4h-3a2 2 0 0 1 0-4h4.3"],
  search: [{ cx: 7, cy: 7, r: 4.3 }, "m10.3 10.3 3.2 3.2"],
  send: ["M8 13V3.5M3.8 7.5 8 3.3l4.2 4.2"],
  settings: ["M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6", { cx: 10, cy: 4.5, r: 1.8 }, { cx: 6, cy: 11.5, r: 1.8 }],
  snooze: ["M13.2 9.6A5.7 5.7 0 1 1 6.4 2.8a4.6 4.6 0 0 0 6.8 6.8z"],
  sort: ["M4.5 3v10M2.3 10.8 4.5 13l2.2-2.2M9 4h5M9 8h3.7M9 12h2.2"],
  team: [
    { cx: 6, cy: 5.5, r: 2.5 },
    "M1.8 13.2c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4",
    "M10.7 3.3a2.4 2.4 0 0 1 0 4.5M11.8 9.6c1.4.5 2.2 1.8 2.4 3.6",
  ],
  thumb: ["M5.3 7 7.7 2.3a1.4 1.4 0 0 1 1.7 1.6L9 6.3h3.3a1.3 1.3 0 0 1 1.3 1.6l-.9 4.4a1.4 1.4 0 0 1-1.4 1.1h-6z", "M2.3 7h3v6.4h-3z"],
  tool: ["M5 4 1.8 8 5 12M11 4l3.2 4L11 12M9 3 7 13"],
  keyboard: [{ x: 1.8, y: 4, width: 12.4, height: 8.2, rx: 1.5 }, "M4.5 6.8h.1M7 6.8h.1M9.4 6.8h.1M11.6 6.8h.1M5.5 9.6h5"],
  moon: ["M13.2 9.6A5.7 5.7 0 1 1 6.4 2.8a4.6 4.6 0 0 0 6.8 6.8z"],
  sun: [
    { cx: 8, cy: 8, r: 2.8 },
    "M8 1.6v1.5M8 12.9v1.5M1.6 8h1.5M12.9 8h1.5M3.5 3.5l1 1M11.5 11.5l1 1M3.5 12.5l1-1M11.5 4.5l1-1",
  ],
  plus: ["M8 3.5v9M3.5 8h9"],
  at: [{ cx: 8, cy: 8, r: 2.6 }, "M10.6 5.4v3.4a1.7 1.7 0 0 0 3.4 0V8a6 6 0 1 0-2.4 4.8"],
  bookmark: ["M4 2.5h8v11l-4-3-4 3z"],
  edit: ["M3 13l.6-2.8 7.3-7.3a1.2 1.2 0 0 1 1.7 0l.5.5a1.2 1.2 0 0 1 0 1.7l-7.3 7.3z"],
  filter: ["M2 4h12M4.5 8h7M6.8 12h2.4"],
  next: ["M3 3.5v9L9 8zM12.5 3.5v9"],
  copy: [
    { x: 5.5, y: 5.5, width: 8, height: 8, rx: 1.5 },
    "M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5",
  ],
  download: ["M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.8 13.3h10.4"],
  file: ["M4 2.5h5l3 3v8H4z", "M9 2.5v3h3"],
  macro: ["M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z"],
  slash: [{ x: 2, y: 2, width: 12, height: 12, rx: 2.5 }, "m6.3 11 3.4-6"],
  tag: ["M2.5 2.5h5l6 6-5 5-6-6z", "M5.5 5.5v.1"],
  eye: ["M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z", { cx: 8, cy: 8, r: 1.9 }],
  leave: ["M6.5 2.5h-3v11h3M10 5l3 3-3 3M13 8H6.5"],
};

/**
 * An icon never stands alone: give its button or its neighbour a name.
 * @param {string} name
 * @param {boolean} [small]
 */
export function icon(name, small = false) {
  return h(
    "svg",
    { class: small ? "icon icon--small" : "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
    (SHAPES[name] ?? []).map((shape) => {
      if (typeof shape === "string") return h("path", { d: shape });
      return h("r" in shape ? "circle" : "rect", shape);
    }),
  );
}

/** A square machine and a round person, side by side. */
export function logo() {
  return h(
    "svg",
    { class: "logo", viewBox: "0 0 28 28", "aria-hidden": "true" },
    h("rect", { class: "logo-agent", x: 1, y: 7, width: 15, height: 15, rx: 3.5 }),
    h("circle", { class: "logo-person", cx: 18.5, cy: 12.5, r: 8 }),
  );
}

/** @param {"inbox" | "chat"} kind */
export function picture(kind) {
  const shapes =
    kind === "inbox"
      ? ["M10 30 18 10h36l8 20v14a4 4 0 0 1-4 4H14a4 4 0 0 1-4-4z", "M10 30h15l4 7h14l4-7h15"]
      : ["M12 10h34v22H26l-9 8v-8h-5z", "M52 20h8v20h-5v7l-8-7H32v-3"];
  return h(
    "svg",
    { class: "picture", viewBox: "0 0 72 56", "aria-hidden": "true" },
    shapes.map((d) => h("path", { d })),
  );
}
