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

/** The bar is the value, the tick is the floor. @param {number} value @param {number | null} floor @param {string} [name] of the value @param {string} [more] about the floor */
export function confidence(value, floor, name = "Confidence", more = "") {
  const words = `${name} ${value.toFixed(2)}${floor === null ? "" : `, floor ${floor.toFixed(2)}${more}`}`;
  const part = (/** @type {number} */ one) => `${Math.min(1, Math.max(0, one)) * 100}%`;
  return h(
    "div",
    { class: "confidence" },
    h("span", null, `${name} ${value.toFixed(2)}`),
    h(
      "span",
      {
        class: "meter",
        role: "img",
        "aria-label": words,
        vars: { "--value": part(value), "--floor": part(floor ?? 0) },
      },
      h("span"),
      floor !== null && h("i"),
    ),
    floor !== null && h("span", null, `floor ${floor.toFixed(2)}${more}`),
  );
}
