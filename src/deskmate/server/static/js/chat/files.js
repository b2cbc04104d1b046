// Screens, chat: files of messages, fetched with the token of the visitor, which a browser does not send by itself.

import { h } from "../core/dom.js";
import { fileName, filesOf, isPicture } from "../core/files.js";
import { icon } from "../core/icons.js";

/** @typedef {import("../core/types.js").Part} Part */

/** @param {{changed: () => void, credentials: () => Record<string, string>}} options */
export function createContents({ changed, credentials }) {
  /** Pictures that are here, as addresses that hold them; null while they are on their way, "" where they did not come.
   * @type {Map<string, string | null>} */
  const pictures = new Map();
  let version = 0;

  /** @param {string} path @returns {Promise<Blob>} */
  async function fetched(path) {
    const response = await fetch(path, { headers: credentials(), credentials: "same-origin" });
    if (!response.ok) throw new Error(`Error ${response.status}`);
    return response.blob();
  }

  /** @param {string} id */
  async function load(id) {
    pictures.set(id, null);
    let address = "";
    try {
      address = await dataOf(await fetched(`/api/files/${encodeURIComponent(id)}`));
    } catch {
      // The chip stays in its place.
    }
    pictures.set(id, address);
    version += 1;
    changed();
  }

  /** @param {string} path @param {string} name @returns {Promise<boolean>} whether it came */
  async function save(path, name) {
    try {
      const address = URL.createObjectURL(await fetched(path));
      const link = document.createElement("a");
      link.href = address;
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {import("../core/types.js").Message} message */
  function view(message) {
    const files = filesOf(message);
    if (!files.length) return null;
    return h(
      "ul",
      { class: "files" },
      files.map((part) => h("li", null, one(part))),
    );
  }

  /** @param {Part} part */
  function one(part) {
    const name = fileName(part);
    const { file } = part;
    if (!file) return h("span", { class: "file-chip" }, icon("file", true), h("span", { class: "truncate" }, name));
    if (isPicture(part) && !pictures.has(file)) void load(file);
    const address = isPicture(part) ? pictures.get(file) : "";
    const click = () => void save(`/api/files/${encodeURIComponent(file)}`, name);
    if (address) {
      return h(
        "button",
        { type: "button", class: "picture-link", title: `${name}: download`, onclick: click },
        h("img", { class: "file-picture", src: address, alt: name }),
      );
    }
    return h(
      "button",
      { type: "button", class: "file-chip", title: "Download", onclick: click },
      icon("file", true),
      h("span", { class: "truncate" }, name),
      address === null ? h("span", { class: "quiet" }, "loading…") : icon("download", true),
    );
  }

  return { view, save, version: () => version };
}

/** @param {Blob} blob @returns {Promise<string>} */
function dataOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}
