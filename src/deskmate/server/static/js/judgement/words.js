// Screens, judgement: what a floor means, in sentences that a person who leads would say.

/** @typedef {{floor: number, coverage: number, error: number | null, bound: number, labels: number, errors: number}} Point */
/** @typedef {{agent: string, floor: number | null, max_error: number, delta: number, labels: number, traffic: number, points: Point[]}} Curve
 *   `floor`: the lowest that is certain for what is accepted; `error`: null where nothing was checked */
/** @typedef {{look: "ok" | "near" | "missed", icon: string, words: string}} Verdict */

/** "78 %", "under 1 %"; never all or nothing where it is not. @param {number} share */
export function percent(share) {
  if (share > 0 && share < 0.01) return "under 1 %";
  if (share < 1 && share > 0.99) return "99 %";
  return `${Math.round(share * 100)} %`;
}

/** Shares that are small, as exact as they are meant: "5 %", "2.5 %", "0.4 %" @param {number} share */
export function small(share) {
  const value = share * 100;
  return `${value >= 10 || Number.isInteger(Math.round(value * 1e6) / 1e6) ? Math.round(value) : Math.round(value * 10) / 10} %`;
}

/** @param {number} value */
export const score = (value) => value.toFixed(2);

/** @param {number} delta */
export const certainty = (delta) => `${Math.round((1 - delta) * 1000) / 10} %`;

/** What may be said of an agent that answers alone from this score on. @param {Point} point @param {Curve} curve @returns {Verdict} */
export function verdict(point, curve) {
  if (point.labels && point.errors / point.labels > curve.max_error) return { look: "missed", icon: "escalation", words: "Too much of it is wrong" };
  const proven = curve.floor !== null && point.floor >= curve.floor && point.bound <= curve.max_error;
  return proven ? { look: "ok", icon: "check", words: "Within what is accepted" } : { look: "near", icon: "question", words: "Not certain enough yet" };
}

/** What a floor would do, in one sentence. @param {Point} point @param {Curve} curve */
export function sentenceOf(point, curve) {
  const { look } = verdict(point, curve);
  const seen = point.labels ? `seen ${point.errors} of ${point.labels}` : "none of it was checked yet";
  const alone = `At ${score(point.floor)} the AI answers ${percent(point.coverage)} alone`;
  const sure = `with ${certainty(curve.delta)} certainty`;
  if (look === "ok") return `${alone}; at most ${small(curve.max_error)} of that wrong, ${sure}; ${seen}.`;
  if (look === "near" && small(point.bound) === small(curve.max_error)) return `${alone}; a little more than the ${small(curve.max_error)} that is accepted may be wrong, ${sure}; ${seen}.`;
  if (look === "near") return `${alone}; up to ${small(point.bound)} of that may be wrong, ${sure}, more than the ${small(curve.max_error)} that is accepted; ${seen}.`;
  return `${alone}; ${small(point.errors / point.labels)} of that was wrong when people checked it, more than the ${small(curve.max_error)} that is accepted; ${seen}.`;
}

/** How it differs from today, counted in messages. @param {Point} point @param {Point | null} today @param {Curve} curve */
export function differenceOf(point, today, curve) {
  if (!today) return "";
  if (point.floor === today.floor) return "This is the floor of today.";
  const messages = Math.round((point.coverage - today.coverage) * curve.traffic);
  const wrong = Math.round((point.coverage * (point.error ?? 0) - today.coverage * (today.error ?? 0)) * curve.traffic);
  if (!messages) return "Much the same as today.";
  const count = Math.abs(messages);
  const first = `${count} ${messages > 0 ? "more" : "fewer"} of the last ${curve.traffic.toLocaleString("en")} messages answered alone than today`;
  if (!wrong) return `${first}, with about as many wrong answers.`;
  return `${first}, and about ${Math.abs(wrong)} ${wrong > 0 ? "more" : "fewer"} wrong ${Math.abs(wrong) === 1 ? "answer" : "answers"}.`;
}

/** The last point at which the floor is not undercut: what a floor does now. @param {Curve} curve @param {number | null | undefined} floor */
export function pointAt(curve, floor) {
  if (floor === null || floor === undefined) return null;
  const above = curve.points.filter((one) => one.floor >= floor - 1e-9);
  return above.at(-1) ?? null;
}
