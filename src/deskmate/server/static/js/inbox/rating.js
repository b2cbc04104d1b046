// Screens, inbox: what customers and colleagues have said of an answer, beside it, or of the whole conversation.

import { h } from "../core/dom.js";
import { ms } from "../core/format.js";
import { icon } from "../core/icons.js";

/** @typedef {{id: string, kind: "rating" | "correction", message: string | null, rating: "up" | "down" | number,
 *   comment: string | null, correction: string | null, by: {kind: string, id: string | null, name: string}, created_at: any}} Rating */

/** Whether an event tells of something that is shown here. @param {import("../core/feed.js").FeedEvent} event */
export const judges = ({ type, data }) => type === "feedback.recorded" && ["rating", "correction"].includes(data?.kind);

/** @param {Rating["rating"]} rating */
const words = (rating) => (rating === "up" ? "helpful" : rating === "down" ? "not helpful" : `${rating} of 5`);

/** @param {Rating["rating"]} rating */
const look = (rating) => (rating === "up" || (typeof rating === "number" && rating > 3) ? "up" : rating === 3 ? "even" : "down");

/** @param {Rating} one @param {string} customer */
const who = (one, customer) => (one.by.kind === "customer" ? customer : one.by.name);

/** The ratings of one answer. @param {Rating[]} ratings @param {string} message @param {string} customer */
export function ratingsOf(ratings, message, customer) {
  const given = ratings.filter((one) => one.message === message);
  if (!given.length) return null;
  return h(
    "ul",
    { class: "ratings", "aria-label": "Ratings" },
    given.map((one) =>
      h(
        "li",
        { key: one.id, class: `rating rating--${look(one.rating)}` },
        typeof one.rating === "string" && icon("thumb", true),
        h("span", null, h("b", null, who(one, customer)), `: ${words(one.rating)}`),
        one.comment && h("q", null, one.comment),
        one.correction && h("span", { class: "rating-better" }, "Better: ", h("q", null, one.correction)),
      ),
    ),
  );
}

/** What was said of the conversation as a whole, as rows of the timeline. @param {Rating[]} ratings @param {string} customer
 * @returns {import("./state.js").Activity[]} */
export function activitiesOf(ratings, customer) {
  return ratings
    .filter((one) => !one.message)
    .map((one) => ({
      key: `rating:${one.id}:${one.rating}`,
      at: ms(one.created_at),
      icon: "check",
      who: who(one, customer),
      what: `found this conversation ${words(one.rating)}`,
      why: one.comment ? `“${one.comment}”` : "",
    }));
}
