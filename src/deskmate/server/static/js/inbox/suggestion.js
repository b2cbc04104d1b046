// Screens, inbox: what the AI would say to its own question, how sure it is, and how sure it has to be.

import { h } from "../core/dom.js";
import { button } from "../core/parts.js";

/** @typedef {import("../core/types.js").Request} Request */

/** @param {Request} request @param {(() => void) | null} use puts it where the answer is written @param {string} [keys] */
export function suggestion(request, use, keys) {
  if (!request.suggestion) return null;
  return h(
    "div",
    { class: "suggestion", key: "suggestion" },
    h("p", { class: "suggestion-text" }, h("span", { class: "badge badge--agent" }, "AI"), " suggests: ", request.suggestion),
    use && button("Use suggestion", use, { look: "small", keys }),
    typeof request.confidence === "number" && confidence(request.confidence, request.floor ?? null),
  );
}

/** The bar is the value, the tick is the floor. @param {number} value @param {number | null} floor */
function confidence(value, floor) {
  const words = `Confidence ${value.toFixed(2)}${floor === null ? "" : `, floor ${floor.toFixed(2)}`}`;
  return h(
    "div",
    { class: "confidence" },
    h("span", null, `Confidence ${value.toFixed(2)}`),
    h(
      "span",
      {
        class: "meter",
        role: "img",
        "aria-label": words,
        vars: { "--value": `${value * 100}%`, "--floor": `${(floor ?? 0) * 100}%` },
      },
      h("span"),
      floor !== null && h("i"),
    ),
    floor !== null && h("span", null, `floor ${floor.toFixed(2)}`),
  );
}
