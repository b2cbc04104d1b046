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
  if (connection.state !== "offline") return null;
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
