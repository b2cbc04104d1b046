// Screens, core: the live feed over one streaming request. Resumes after the last event it saw, so nothing is missed.

import { problemOf, queryString } from "./api.js";

const SILENCE = 40_000; // a heartbeat comes every 15 s; after this long without one the line is dead
const LONGEST_PAUSE = 15_000;

/**
 * @typedef {{seq: number, thread: string | null, thread_seq: number | null, type: string, actor: any, at: any, data: any}} FeedEvent
 * @typedef {{message: string, thread: string, offset: number, text: string}} Delta
 * @typedef {{thread: string, viewers: import("./types.js").Viewer[]}} Presence
 */

/**
 * @param {{
 *   path: string,
 *   query?: () => Record<string, any>,
 *   headers?: () => Record<string, string>,
 *   onEvent: (event: FeedEvent) => void,
 *   onDelta: (delta: Delta) => void,
 *   onPresence?: (presence: Presence) => void,
 *   onState: (state: "connecting" | "connected" | "offline") => void,
 *   onConnected: (fresh: boolean) => void,
 *   onUnauthenticated: () => void,
 * }} options `onConnected(fresh)`: the line is up; `fresh` when it starts at "now", so what came before has to be loaded
 */
export function createFeed(options) {
  let last = "";
  let attempt = 0;
  let stopped = true;
  /** @type {AbortController | null} */
  let line = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog;

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => line?.abort(), SILENCE);
  }

  /** @param {{id: string, event: string, data: string}} frame */
  function take(frame) {
    if (frame.id) last = frame.id;
    if (!frame.data) return;
    let data;
    try {
      data = JSON.parse(frame.data);
    } catch {
      return;
    }
    if (frame.event === "message.delta") options.onDelta(data);
    else if (frame.event === "thread.presence") options.onPresence?.(data);
    else options.onEvent(data);
  }

  async function connect() {
    const mine = new AbortController();
    line = mine;
    options.onState("connecting");
    alive();
    try {
      const fresh = last === "";
      /** @type {Record<string, string>} */
      const headers = { accept: "text/event-stream", ...options.headers?.() };
      if (!fresh) headers["last-event-id"] = last;
      const response = await fetch(options.path + queryString(options.query?.()), {
        headers,
        signal: mine.signal,
        cache: "no-store",
        credentials: "same-origin",
      });
      if (!response.ok || !response.body) {
        if (response.status === 401) {
          stop();
          options.onUnauthenticated();
          return;
        }
        // A place in the feed that the server does not know: start at "now" and load again.
        if (response.status >= 400 && response.status < 500 && response.status !== 429) last = "";
        throw problemOf(response, null);
      }
      attempt = 0;
      options.onState("connected");
      options.onConnected(fresh);
      await read(response.body, take, alive);
    } catch {
      // Whatever broke the line, the answer is the same: try again.
    }
    clearTimeout(watchdog);
    if (!stopped && line === mine) again();
  }

  function again() {
    options.onState("offline");
    const pause = Math.min(LONGEST_PAUSE, 400 * 2 ** attempt) * (0.5 + Math.random());
    attempt += 1;
    clearTimeout(timer);
    timer = setTimeout(connect, pause);
  }

  function retry() {
    if (stopped) return;
    attempt = 0;
    clearTimeout(timer);
    const old = line;
    line = null;
    old?.abort();
    void connect();
  }

  function start() {
    if (!stopped) return;
    stopped = false;
    void connect();
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(watchdog);
    line?.abort();
    line = null;
  }

  addEventListener("online", retry);
  addEventListener("offline", () => line?.abort());
  return { start, stop, retry };
}

/**
 * Cut a stream of bytes into frames.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(frame: {id: string, event: string, data: string}) => void} take
 * @param {() => void} alive called for every piece, heartbeats too
 */
async function read(body, take, alive) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let frame = { id: "", event: "message", data: "" };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        take(frame);
        frame = { id: "", event: "message", data: "" };
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") frame.data += (frame.data ? "\n" : "") + text;
      else if (field === "event") frame.event = text;
      else if (field === "id") frame.id = text;
    }
  }
}
