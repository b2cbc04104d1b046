// Screens, core: the one door to the server. JSON in, JSON out, problems as errors.

/** What the server or the network said no with. `code` is "offline" when no answer came at all. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} code
   * @param {string} detail
   * @param {Record<string, any>} [facts] the rest of the problem document: by, at, state, field …
   */
  constructor(status, code, detail, facts = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }

  /** Whether the same request may well succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * @param {{token?: () => string | null, onUnauthenticated?: () => void}} [options]
 */
export function createApi({ token, onUnauthenticated } = {}) {
  /** @returns {Record<string, string>} */
  const credentials = () => {
    const value = token?.();
    return value ? { authorization: `Bearer ${value}` } : {};
  };

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: unknown, query?: Record<string, any>, key?: string, signal?: AbortSignal, quiet?: boolean, keepalive?: boolean}} [options]
   *   `key`: the idempotency key; `quiet`: a 401 is an answer here, not the end of the session; `keepalive`: goes out although the page ends
   * @returns {Promise<any>}
   */
  async function send(method, path, { body, query, key, signal, quiet = false, keepalive } = {}) {
    /** @type {Record<string, string>} */
    const headers = { accept: "application/json", ...credentials() };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (key) headers["idempotency-key"] = key;
    let response;
    try {
      response = await fetch(path + queryString(query), {
        method,
        headers,
        signal,
        keepalive,
        credentials: "same-origin",
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem(0, "offline", "The desk cannot be reached.");
    }
    const data = await readJson(response);
    if (response.ok) return data;
    if (response.status === 401 && !quiet) onUnauthenticated?.();
    throw problemOf(response, data);
  }

  return {
    credentials,
    /** @param {string} path @param {Record<string, any>} [query] @param {{signal?: AbortSignal, quiet?: boolean}} [options] */
    get: (path, query, options) => send("GET", path, { query, ...options }),
    /** @param {string} path @param {unknown} [body] @param {{key?: string, quiet?: boolean, keepalive?: boolean}} [options] */
    post: (path, body = {}, options) => send("POST", path, { body, ...options }),
    /** @param {string} path @param {unknown} body @param {{quiet?: boolean, keepalive?: boolean}} [options] */
    put: (path, body, options) => send("PUT", path, { body, ...options }),
    /** @param {string} path @param {unknown} body */
    patch: (path, body) => send("PATCH", path, { body }),
    /** @param {string} path @param {{quiet?: boolean}} [options] */
    delete: (path, options) => send("DELETE", path, options),
  };
}

/** @param {Response} response */
async function readJson(response) {
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** @param {Response} response @param {any} data @returns {Problem} */
export function problemOf(response, data) {
  const { type: _type, title, status: _status, detail, code, ...facts } = data ?? {};
  const retry = response.headers.get("retry-after");
  if (retry) facts.retry_after = Number(retry);
  return new Problem(response.status, code ?? `http_${response.status}`, detail ?? title ?? `Error ${response.status}`, facts);
}

/** @param {Record<string, any>} [query] */
export function queryString(query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}
