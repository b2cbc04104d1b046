// Screens, core: the files of a message: pictures in their place, everything else as a chip to download.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** What browsers are given to show, as the server has it. */
const SHOWN = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** @typedef {import("./types.js").Part} Part */

/** @param {Part} part */
export function isPicture(part) {
  return SHOWN.includes((part.media_type ?? "").split(";")[0]);
}

/** @param {import("./types.js").Message} message @returns {Part[]} */
export function filesOf(message) {
  return (message.parts ?? []).filter((part) => part.type === "file");
}

/** @param {Part} part */
export const fileName = (part) => part.filename || "File";

/**
 * For whoever has a cookie: the browser fetches contents by itself.
 * @param {import("./types.js").Message} message
 */
export function filesView(message) {
  const files = filesOf(message);
  if (!files.length) return null;
  return h(
    "ul",
    { class: "files" },
    files.map((part) => h("li", null, fileView(part))),
  );
}

/** @param {Part} part */
function fileView(part) {
  const name = fileName(part);
  const href = part.file ? `/api/files/${encodeURIComponent(part.file)}` : undefined;
  if (href && isPicture(part)) {
    return h(
      "a",
      { class: "picture-link", href, target: "_blank", rel: "noopener", title: name },
      h("img", { class: "file-picture", src: href, alt: name }),
    );
  }
  const inner = [icon("file", true), h("span", { class: "truncate" }, name), href && icon("download", true)];
  return href ? h("a", { class: "file-chip", href, download: name }, inner) : h("span", { class: "file-chip" }, inner);
}
