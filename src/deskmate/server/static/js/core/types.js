// Screens, core: the records of the API, as the screens read them. Types only.

/** @typedef {{kind: "customer" | "agent" | "operator" | "system" | "service", id?: string | null, name: string}} Author */
/** @typedef {{to: "ai" | "queue" | "operator", id?: string | null, name?: string | null, since: any, reason: string}} Assignment */
/** @typedef {{id: string, kind: RequestKind, state: string, question?: string | null, claimed_by?: {id: string, name: string} | null,
 *   draft?: string | null, on_expiry?: string | null, expires_at?: any, missed?: number, created_at?: any}} RequestShort */
/** @typedef {"question" | "approval" | "escalation"} RequestKind */
/** @typedef {{id: string, customer: string | null, customer_name?: string | null, subject?: string | null, summary?: string | null,
 *   status: "open" | "snoozed" | "resolved", snoozed_until?: any, assignment: Assignment, epoch?: number, mode?: string, priority?: string,
 *   queue?: string | null, tags?: string[], language?: string | null, waiting_since?: any, metadata?: Record<string, any>,
 *   created_at: any, updated_at: any, unread?: number, preview?: {text: string, author: Author, visibility: string, at: any} | null,
 *   requests?: RequestShort[], route?: Route | null, usage?: any, clock?: Clock | null}} Thread */
/** @typedef {{target: "time_to_human" | "first_response" | "next_response" | "resolution", due_at: any, breached: boolean, paused: boolean}} Clock
 *   the target of an SLA policy that is due first */
/** @typedef {{type: string, text?: string, call_id?: string, tool?: string, input?: any, output?: any, is_error?: boolean, denied?: boolean,
 *   reason?: string, request?: string, by?: Author, args?: any, file?: string, media_type?: string, filename?: string}} Part */
/** @typedef {{id: string, thread: string, order: number, step: number, role: string, author: Author, text: string, parts?: Part[],
 *   visibility: "public" | "note" | "draft", status: "pending" | "success" | "failed", error?: string | null, agent_name?: string | null,
 *   run?: string | null, created_at: any}} Message */
/** @typedef {{kind: string, value?: any, args?: any, text?: string, reason?: string, review?: string, by: {id: string, name: string}, at: any,
 *   channel?: string}} Decision */
/** @typedef {{id: string, thread: string, kind: RequestKind, state: string, agent?: string | null, run?: string | null, question?: string | null,
 *   call_id?: string | null, call_message?: string | null, approval?: string | null, tool?: string | null, args?: Record<string, any> | null,
 *   args_digest?: string | null, args_schema?: any, draft?: string | null,
 *   first_approval?: {by: {id: string, name: string}, at: any, args?: Record<string, any> | null, args_digest?: string | null} | null,
 *   default?: any, missed?: number, approvers?: number, self_approval?: boolean, caused_by?: string | null,
 *   reason?: string | null, suggestion?: string | null, confidence?: number | null, floor?: number | null, response_schema?: any,
 *   queue?: string | null, risk?: string, priority?: string, claimed_by?: {id: string, name: string} | null, expires_at?: any,
 *   on_expiry?: string | null, decision?: Decision | null, outcome?: string | null, created_at: any, updated_at: any}} Request */
/** @typedef {{kind: string, id: string, name: string, email?: string, role?: string, presence?: "available" | "away" | "offline",
 *   capacity?: number, load?: number, queues?: string[], skills?: string[]}} Me */

/** @typedef {{id: string, agent?: string | null, operator?: string | null, input_tokens?: number, output_tokens?: number, seconds?: number,
 *   cost_nanos?: number | null, currency?: string | null}} Usage */
/** @typedef {{id: string, owner: string | null, name: string, filters: Record<string, string>, shared: boolean}} SavedView */
/** @typedef {{id: string, at: any, read_at?: any, thread: Thread, message: Message}} Mention a note that calls on this operator */
/** @typedef {{id: string, message?: string | null, responder: "ai" | "draft" | "human", reason: string, score?: number | null, floor?: number | null,
 *   floor_version?: number | null, audited?: boolean, at: any, steps?: {step: string, reason: string, decides: boolean}[]}} Route
 *   who was to respond, and why */
/** @typedef {{id: string, kind: string, text: string, thread: string | null, request: string | null, urgent: boolean, created_at: any,
 *   read_at?: any, channel?: string}} Notice what this operator was told */
/** @typedef {{kind: "operator" | "customer", id?: string | null, name: string, typing: boolean, visibility: "public" | "note" | null}} Viewer
 *   who is on a thread, and what they type */
/** @typedef {{id: string, name: string, email?: string, role?: string, presence: "available" | "away" | "offline", load: number, capacity: number,
 *   queues: string[], skills: string[]}} Operator */
/** @typedef {{name: string, waiting: number, waiting_since?: any, skills: string[], chooser: string}} Queue */
/** @typedef {{id: string, name: string, actions: Record<string, any>[]}} Macro */
/** @typedef {{operator: string, name: string, load: number, capacity: number, fits: boolean, why: string}} Candidate */
/** @typedef {{id: string, thread: string, request: string | null, queue: string, operator: {id: string, name: string}, reason: string,
 *   candidates: Candidate[], missed_at: any, created_at: any}} Choice who was chosen, from whom, and why */
/** @typedef {{epoch: number, cause: string, to: {to: string, id?: string | null, name?: string | null}, reason?: string | null,
 *   note?: string | null, by: Author, at: any}} Change one change of hands */

export {};
