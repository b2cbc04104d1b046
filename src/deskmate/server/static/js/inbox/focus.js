// Screens, inbox: moves the focus to what a verb leads to, once it has been drawn.

/** @param {() => import("./state.js").State} stateOf @param {() => void} flush draws what has changed */
export function createFocus(stateOf, flush) {
  let wanted = "";
  let tries = 0;

  /** @param {string} what composer, search, list, subject, context, `row:ID`, `card:ID` (what to do there), `ask:ID` (the card),
   * `answer:ID`, `field:ID` or `button:ID` */
  function focus(what) {
    wanted = what;
    tries = 0;
    // At once, so that the next key that is typed arrives there; and again, for what is still on its way.
    queueMicrotask(() => {
      flush();
      settle();
    });
    requestAnimationFrame(() => requestAnimationFrame(settle));
  }

  function settle() {
    if (!wanted) return;
    const el = find(wanted, stateOf());
    tries += 1;
    if (el) {
      const card = el.closest(".request");
      el.focus({ preventScroll: card !== null });
      if (card) reveal(card, el);
      if (el instanceof HTMLTextAreaElement) el.setSelectionRange(el.value.length, el.value.length);
    }
    if (el || tries > 8) wanted = "";
  }

  focus.settle = settle;
  return focus;
}

/** @param {string} what @param {import("./state.js").State} state @returns {HTMLElement | null} */
function find(what, state) {
  const [kind, id = ""] = what.split(/:(.*)/);
  const byId = (/** @type {string} */ name) => document.getElementById(name);
  switch (kind) {
    case "composer":
      return byId("compose");
    case "row":
      return byId(`row-${id}`);
    case "answer":
      return byId(`answer-${id}`) ?? byId(`request-${id}`)?.querySelector(".args--answer :is(textarea, select, input)") ?? null;
    case "ask":
      return byId(`ask-${id}`);
    case "field":
      return byId(`field-${id}`);
    case "button":
      return byId(id);
    case "card": {
      const card = byId(`request-${id}`);
      return (
        card?.querySelector(".request-footer :is(textarea, input)") ??
        card?.querySelector("textarea, select, input, .request-footer .button--primary:not([disabled])") ??
        byId(`ask-${id}`)
      );
    }
    case "list":
      return byId(`row-${state.view.thread}`) ?? document.querySelector(".list-rows .thread-row");
    default:
      return byId(kind);
  }
}

/** The whole card where it fits; else its foot, where it is decided, and then what has the focus. @param {Element} card @param {Element} el */
function reveal(card, el) {
  card.scrollIntoView({ block: "nearest" });
  card.querySelector(".request-footer")?.scrollIntoView({ block: "nearest" });
  if (!el.matches(".request-ask")) el.scrollIntoView({ block: "nearest" });
}
