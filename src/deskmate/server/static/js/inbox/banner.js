// Screens, inbox: says when the line to the desk is down, and that nothing is lost.

import { h } from "../core/dom.js";
import { clock, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";

/** A blink of the line is not worth a banner. */
const PATIENCE = 1500;

/** @param {import("./main.js").Desk} desk */
export function banner(desk) {
  const { connection, conversations } = desk.state;
  if (connection.state !== "offline") return away(desk);
  if (Date.now() - connection.since < PATIENCE) {
    setTimeout(desk.changed, PATIENCE);
    return null;
  }
  let stuck = 0;
  for (const { sendings } of conversations.values()) stuck += sendings.filter((one) => one.state === "failed").length;
  return h(
    "div",
    { class: "banner banner--offline", role: "status", key: "banner" },
    icon("offline"),
    h(
      "span",
      { class: "grow" },
      h("strong", null, `Offline since ${clock(connection.since)}.`),
      stuck
        ? ` ${counted(stuck, "message")} could not be sent and can be tried again.`
        : " You can read on; what you miss is replayed on return. Decisions need the connection.",
    ),
    button("Try now", desk.retryConnection, { look: "small" }),
  );
}

/** Whoever gives no sign of life is sent away by the clock, and should know of it. @param {import("./main.js").Desk} desk */
function away({ state, changed }) {
  const { sentAway } = state;
  if (!sentAway) return null;
  const words = sentAway.back
    ? `You were set away from ${clock(sentAway.since)} to ${clock(sentAway.back)}, and are available again.`
    : "You have not done anything for a while, so you are set away and new work goes to others. The next thing you do here brings you back.";
  return h(
    "div",
    { class: "banner", role: "status", key: "away" },
    icon("clock"),
    h("span", { class: "grow" }, words),
    sentAway.back &&
      button(
        "Good",
        () => {
          state.sentAway = null;
          changed();
        },
        { look: "small" },
      ),
  );
}
