// Screens, inbox: what is special about escalations: take the thread over, answer through the AI, or say no.

import { h } from "../core/dom.js";
import { capital } from "../core/format.js";
import { button } from "../core/parts.js";
import { answer, answerView, decline, use } from "./question.js";
import { mayDecide, onIt, reasonFooter } from "./reason.js";
import { shortName } from "./state.js";
import { suggestion } from "./suggestion.js";

/** @type {import("./ways.js").Way} */
export const escalation = {
  body(desk, thread, request, card) {
    return [
      suggestion(request, () => use(desk, request, card)),
      card.mode === "edit" && answerView(desk, thread, request, card, () => answer(desk, request, card)),
    ];
  },
  footer(desk, thread, request, card) {
    const may = mayDecide(desk, request);
    const who = thread.customer ? shortName(thread) : "";
    switch (card.mode) {
      case "decline":
        return decline(desk, request, card);
      case "take_over":
        return reasonFooter(desk, request, card, {
          label: `First words${who ? ` to ${who}` : ""}, optional`,
          verb: card.reason.trim() ? "Take over and send" : "Take over",
          placeholder: who ? `${capital(who)} sees them at once, with your name` : undefined,
          send: (text) => void desk.verbs.decide(request, "take_over", text ? { text } : {}),
        });
      case "edit":
        return h(
          "footer",
          { class: "request-footer", key: "answer" },
          button("Answer through the AI", () => answer(desk, request, card), {
            look: "primary",
            keys: "Ctrl ↵",
            disabled: card.busy || !may,
          }),
          button("Back", () => desk.mode(request, ""), { look: "plain", keys: "Esc" }),
          h("span", { class: "end" }, "The AI keeps the thread"),
        );
      default:
        return h(
          "footer",
          { class: "request-footer", key: "ways" },
          button("Take over…", () => desk.mode(request, "take_over"), {
            look: "primary",
            keys: "a",
            disabled: card.busy || !may,
          }),
          button("Answer through the AI…", () => desk.mode(request, "edit"), { keys: "e", disabled: card.busy || !may }),
          button("Decline…", () => desk.mode(request, "decline"), { look: "plain", keys: "r", disabled: card.busy || !may }),
          onIt(desk, request),
        );
    }
  },
  press(desk, request, card, key) {
    desk.mode(request, key === "a" ? "take_over" : key === "e" ? "edit" : "decline");
  },
};
