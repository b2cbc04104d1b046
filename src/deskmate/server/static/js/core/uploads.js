// Screens, core: files on their way to a thread, by button, paste or drop, and as chips while they wait to be sent.

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const LARGEST = 25 * 1024 * 1024;
const MOST = 20;

/** @typedef {{key: string, name: string, size: number, file: File, progress: number, state: "sending" | "done" | "failed", error: string,
 *   id: string, stop: () => void}} Attachment `progress` is 0 to 1 */

/**
 * @param {{changed: () => void, credentials: () => Record<string, string>}} options
 */
export function createUploads({ changed, credentials }) {
  /** @param {string} thread @param {Attachment} one */
  async function give(thread, one) {
    if (one.size > LARGEST) {
      Object.assign(one, { state: "failed", error: `${sizeOf(one.size)} is too large: a file has at most 25 MB` });
      return changed();
    }
    Object.assign(one, { state: "sending", error: "", progress: 0 });
    changed();
    try {
      const record = await post(thread, one, credentials(), changed);
      Object.assign(one, { state: "done", progress: 1, id: record.id });
    } catch (error) {
      Object.assign(one, { state: "failed", error: wordsOf(error, one) });
    }
    changed();
  }

  /**
   * Take these files into a list, and begin to send each to its thread.
   * @param {Attachment[]} list @param {Iterable<File>} files @param {() => Promise<string> | string} place the thread
   * @returns {string} what was refused, in words; "" for nothing
   */
  function add(list, files, place) {
    const all = [...files];
    const room = Math.max(0, MOST - list.length);
    for (const file of all.slice(0, room)) {
      /** @type {Attachment} */
      const one = {
        key: crypto.randomUUID(),
        name: file.name || "file",
        size: file.size,
        file,
        progress: 0,
        state: "sending",
        error: "",
        id: "",
        stop: () => undefined,
      };
      list.push(one);
      void begin(one, place);
    }
    changed();
    return all.length > room ? `A message has at most ${MOST} files.` : "";
  }

  /** @param {Attachment} one @param {() => Promise<string> | string} place */
  async function begin(one, place) {
    try {
      await give(await place(), one);
    } catch (error) {
      Object.assign(one, { state: "failed", error: wordsOf(error, one) });
      changed();
    }
  }

  /** @param {Attachment[]} list @param {Attachment} one */
  function remove(list, one) {
    one.stop();
    const at = list.indexOf(one);
    if (at >= 0) list.splice(at, 1);
    changed();
  }

  return { add, remove, again: begin };
}

/** @param {string} thread @param {Attachment} one @param {Record<string, string>} headers @param {() => void} changed @returns {Promise<any>} */
function post(thread, one, headers, changed) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/threads/${encodeURIComponent(thread)}/files?filename=${encodeURIComponent(one.name)}`);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.setRequestHeader("content-type", one.file.type || "application/octet-stream");
    request.upload.onprogress = (event) => {
      one.progress = event.total ? event.loaded / event.total : 0;
      changed();
    };
    request.onerror = () => reject(new Problem(0, "offline", "The desk cannot be reached."));
    request.onload = () => {
      let data = null;
      try {
        data = JSON.parse(request.responseText);
      } catch {
        // What is no JSON is told by its status.
      }
      if (request.status < 300 && data) resolve(data);
      else reject(new Problem(request.status, data?.code ?? "", data?.detail ?? `Error ${request.status}`, data ?? {}));
    };
    one.stop = () => request.abort();
    request.send(one.file);
  });
}

/** @param {any} error @param {Attachment} one */
function wordsOf(error, one) {
  if (error.code === "too_large") return `${sizeOf(one.size)} is too large: a file has at most 25 MB`;
  if (error.code === "rate_limited") return "too many files at once, try again shortly";
  return error.message || "it did not arrive";
}

/** "312 KB" @param {number} size in bytes */
export function sizeOf(size) {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${Math.round(size / 1024)} KB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}

/**
 * The chips of what waits to be sent.
 * @param {Attachment[]} list @param {ReturnType<typeof createUploads>} uploads @param {() => Promise<string> | string} place
 */
export function attachmentChips(list, uploads, place) {
  if (!list.length) return null;
  return h(
    "ul",
    { class: "attachments", "aria-label": "Files to send", key: "attachments" },
    list.map((one) =>
      h(
        "li",
        { class: `file-chip file-chip--${one.state}`, key: one.key },
        icon(one.state === "failed" ? "info" : "file", true),
        h("span", { class: "truncate", title: one.name }, one.name),
        one.state === "sending" &&
          h("progress", { class: "file-chip-progress", max: "1", value: one.progress, "aria-label": `Sending ${one.name}` }),
        one.state === "done" && one.size > 0 && h("span", { class: "quiet" }, sizeOf(one.size)),
        one.state === "failed" && h("span", { class: "file-chip-error", role: "alert" }, one.error),
        one.state === "failed" &&
          one.size <= LARGEST &&
          h("button", { type: "button", class: "link", onclick: () => uploads.again(one, place) }, "Retry"),
        h(
          "button",
          {
            type: "button",
            class: "file-chip-remove",
            "aria-label": `Remove ${one.name}`,
            title: "Remove",
            onclick: () => uploads.remove(list, one),
          },
          icon("close", true),
        ),
      ),
    ),
  );
}

/** Files of a paste or a drop; none where text is pasted. @param {DataTransfer | null} data @returns {File[]} */
export function filesIn(data) {
  return [...(data?.files ?? [])];
}

/**
 * A button that opens the browser's choice of files.
 * @param {string} label @param {(files: File[]) => void} take
 */
export function attachButton(label, take) {
  return h(
    "label",
    { class: "button button--plain button--icon attach", title: label },
    icon("clip"),
    h("input", {
      type: "file",
      multiple: true,
      class: "sr",
      "aria-label": label,
      onchange: (/** @type {any} */ event) => {
        take([...event.target.files]);
        event.target.value = "";
      },
    }),
  );
}
