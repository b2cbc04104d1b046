// Screens, inbox: a call that was approved and begun, and of which nobody knows whether it took effect. A person settles it.

import { h } from "../core/dom.js";
import { clock } from "../core/format.js";
import { icon } from "../core/icons.js";
import { button } from "../core/parts.js";
import { closedArgs } from "./approval.js";
import { reasonFooter } from "./reason.js";

/** @type {import("./ways.js").Way} */
export const doubt = {
  body(desk, _thread, request) {
    const decision = request.decision;
    const who = decision
      ? `${decision.by.id === desk.state.me?.id ? "You" : decision.by.name} approved it at ${clock(decision.at)}, and it was begun. `
      : "";
    return [
      h(
        "p",
        { class: "request-doubt", role: "status", key: "doubt" },
        icon("escalation", true),
        h(
          "span",
          null,
          h("strong", null, "Nobody knows whether this took effect. "),
          who,
          "Then the process that ran it died, and no result came back. It will not run again by itself: look where it would show, then settle it.",
        ),
      ),
      closedArgs(desk, request),
    ];
  },
  footer(desk, _thread, request, card) {
    if (card.mode === "ran" || card.mode === "not_ran") {
      const ran = card.mode === "ran";
      return reasonFooter(desk, request, card, {
        label: ran ? "Its result, optional" : "Why not, optional",
        verb: ran ? "It ran" : "It did not run",
        placeholder: ran ? "The AI takes it as the result of the call" : "The AI is told that it did not run",
        send: (text) => void desk.verbs.settle(request, ran, text),
      });
    }
    return h(
      "footer",
      { class: "request-footer", key: "ways" },
      button("It ran…", () => desk.mode(request, "ran"), { keys: "a", disabled: card.busy }),
      button("It did not run…", () => desk.mode(request, "not_ran"), { keys: "r", disabled: card.busy }),
    );
  },
  press(desk, request, _card, key) {
    if (key !== "e") desk.mode(request, key === "a" ? "ran" : "not_ran");
  },
};
